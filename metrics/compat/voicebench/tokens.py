"""Words in capitals as the Penn Treebank's tokenizer cuts them: "AT&T" is two tokens, "DON'T" too, "A/B" is one.

Only tokens that hold letters are counted, so marks that stand alone are cut off without being kept.
"""

import re

_APART = re.compile(r"[\u00ab\u201c\u2018\u201e\u00bb\u201d\u2019`\"?!;@#$%&*\[\](){}<>\u2012-\u2015]|\.{2,}|--|''")
_INNER = re.compile(r"[:,](?!\d)")
_CLITICS = re.compile(r"(?<=[^' ])('[SsMmDd]|'|'LL|'ll|'RE|'re|'VE|'ve|N'T|n't)(?=\.? )")
_LEADING = re.compile(r"(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", re.IGNORECASE)
_JOINED = re.compile(
    r"\b(?:(CAN)(NOT)|(D)('YE)|(GIM)(ME)|(GON)(NA)|(GOT)(TA)|(LEM)(ME)|(MORE)('N))\b|\b(WAN)(NA)(?=\.?\s)",
    re.IGNORECASE,
)


def upper_tokens(text: str) -> int:
    """Count the tokens whose letters are all capitals, one at least."""
    text = _LEADING.sub("' ", text)
    text = " ".join(_INNER.sub(" ", _APART.sub(" ", text)).split())
    text = _CLITICS.sub(r" \1", f" {text} ")
    text = _JOINED.sub(lambda found: " " + " ".join(part for part in found.groups() if part) + " ", text)
    return sum(token.isupper() for token in text.split())
