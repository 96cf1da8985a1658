"""Pronunciations in ARPAbet, for words that a dictionary lacks: espeak's phonemes, translated."""

from simulator.engines.espeak import readable
from simulator.engines.espeak_library import speak

_VOICE = "gmw/en-US"
# espeak's names of American English phonemes -> ARPAbet; what is absent (a pause, a liaison) has no sound.
_ARPABET = {
    "p": "P", "b": "B", "t": "T", "t#": "T", "t2": "T", "?": "T", "d": "D", "k": "K", "x": "K", "g": "G",
    "tS": "CH", "dZ": "JH", "f": "F", "v": "V", "T": "TH", "D": "DH", "s": "S", "z": "Z", "S": "SH", "Z": "ZH",
    "h": "HH", "m": "M", "n": "N", "n-": "AH N", "N": "NG", "l": "L", "@L": "AH L", "w": "W", "j": "Y",
    "r": "R", "r-": "R",
    "i:": "IY", "i": "IY", "I": "IH", "I2": "IH", "I#": "IH", "E": "EH", "E2": "EH", "a": "AE", "aa": "AE",
    "A:": "AA", "A": "AA", "A~": "AA", "0": "AA", "0#": "AA", "O:": "AO", "O": "AO", "O2": "AO", "V": "AH",
    "@": "AH", "@2": "AH", "@5": "AH", "@-": "AH", "a#": "AH", "U": "UH", "u:": "UW", "u": "UW",
    "3:": "ER", "3": "ER", "eI": "EY", "aI": "AY", "OI": "OY", "aU": "AW", "oU": "OW",
    "i@": "IY AH", "i@3": "IH R", "e@": "EH R", "U@": "UH R", "o@": "AO R", "O@": "AO R", "A@": "AA R",
    "aI3": "AY ER", "aI@": "AY AH", "aU@": "AW ER",
}


def pronounce(word: str) -> list[str]:
    """Give the ARPAbet phones of a word, a number or a name as espeak reads it; none for a mere sign."""
    text = readable(word, english=True)
    spoken = speak(text, _VOICE, words_per_minute=160, phonemes="[[" in text)
    names = (event.name.strip("',%=|") for event in spoken.phonemes)
    return " ".join(_ARPABET[name] for name in names if name in _ARPABET).split()
