"""A caller: a party with a persona, a goal and facts, who decides by what it hears."""
