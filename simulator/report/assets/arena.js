/* The page of an arena: nothing moves but light and dark. */

import { find } from "./data.js";
import { watchTheme } from "./theme.js";

watchTheme(find("theme"), () => {});
