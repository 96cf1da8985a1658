"""English, which most of this project was made for: its words, and the voices of its accents."""

from simulator.languages.tongue import Tongue

_HESITATIONS = (
    "um", "uh", "uhm", "er", "erm", "hm", "hmm", "mm", "and", "but", "or", "so", "because", "if", "that",
    "which", "the", "a", "an", "to", "of", "for", "with", "my", "your", "is", "are", "i'd", "i'm", "like",
    "well",
)  # fmt: skip

ENGLISH_TONGUE = Tongue(
    code="en",
    name="English",
    voice="en-gb-x-rp",
    second="en-us+f2",
    accents={
        "british": ("en-gb-x-rp", "en-gb", "en-gb-x-rp+f3", "en-gb+m3"),
        "american": ("en-us", "en-us+f2", "en-us+m7", "en-us-nyc"),
        "scottish": ("en-gb-scotland", "en-gb-scotland+f2"),
        "northern": ("en-gb-x-gbclan", "en-gb-x-gbclan+f2"),
        "caribbean": ("en-029", "en-029+f2"),
    },
    backchannels=("mm-hm", "right", "okay"),
    fillers=("Um,", "Well,", "Uh,"),
    hesitations=_HESITATIONS,
    corrections=("no, sorry,", "I mean,", "no, wait,"),
    swaps=(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
        ("today", "tomorrow", "tonight"),
        ("morning", "afternoon", "evening"),
    ),
    numbers=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
)
