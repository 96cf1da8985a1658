"""What the leaderboard's normaliser knows beyond Whisper's: spellings, names, joined words (d1e99b2, Apache-2.0)."""

# fmt: off
SPELLINGS = {
    "ok": "okay", "kay": "okay", "etcetera": "etc", "archaeology": "archeology", "archaeological": "archeological",
    "cancellation": "cancelation", "cancellations": "cancelations", "flyer": "flier", "mm": "hmm",
    "pummelled": "pummeled", "pummelling": "pummeling", "snowploughs": "snowplows", "travelogue": "travelog",
    "travelogues": "travelogs",
}
"""Spellings that it adds to Whisper's, or turns round."""

KEPT_SPELLINGS = (
    "archeological", "cancelation", "cancelations", "flyer / flier", "travelog", "travelogs",
)
"""Spellings that it leaves as they are and Whisper's normaliser does not."""

NAMES = {
    "allen": "alan allan", "bridget": "bridgette", "charlie": "charly charley", "gary": "garry", "greg": "gregg",
    "jackie": "jacky", "joanne": "joann joane", "kelly": "kellye kelli kelley", "lily": "lilly",
    "michael": "micheal", "michelle": "michele", "molly": "mollie", "philip": "phillip", "sally": "sallie",
    "stacy": "stacey stacie", "tracy": "tracey tracie", "brett": "bret", "carol": "carrol carole carroll",
    "alison": "allison alyson", "russell": "russel", "douglas": "douglass", "dominic": "dominick", "rob": "robb",
    "chris": "kris", "christopher": "kristopher cristopher", "christina": "kristina", "kristin": "kristen",
    "carl": "karl", "cathy": "kathy", "catherine": "katherine kathryn catharine", "eric": "erik erick",
    "karen": "caren caryn karin", "caitlin": "katelyn kaitlyn kaitlin", "nicole": "nikole", "veronica": "veronika",
    "victor": "viktor", "victoria": "viktoria", "kevin": "kevan", "patrick": "patrik",
    "frederick": "frederik fredrick", "lucas": "lukas", "anne": "ann", "john": "jon",
    "jonathan": "johnathan jonathon", "sarah": "sara", "matthew": "mathew", "nicholas": "nicolas",
    "rachel": "rachael", "rebecca": "rebekah", "deborah": "devorah", "teresa": "theresa", "susanne": "suzanne",
    "anthony": "antony", "martin": "martyn", "dennis": "denis", "lawrence": "laurence", "thomas": "tomas",
    "toby": "tobey", "mcarthur": "macarthur", "mccartney": "macartney", "mccarthy": "macarthy maccarthy",
    "mcdonald": "macdonald", "mckay": "mackay", "mckenzie": "mackenzie", "mcleod": "macleod", "mclean": "maclean",
    "mcmillan": "macmillan", "mcintosh": "macintosh", "mcintyre": "macintyre", "mcnamara": "macnamara",
    "mcgowan": "macgowan",
    "mohammed": "mohamad mohamed mohammad muhammad muhamad muhammed mouhamed mouhamad mahomet", "fatima": "fatimah",
    "yousef": "yusuf yusef", "miriam": "myriam", "rajiv": "rajeev", "alfonso": "alphonso", "brian": "bryan",
    "jeffrey": "geoffrey jeffery", "jeff": "geoff", "neil": "neal", "sean": "shaun shawn", "shane": "shayne",
    "steven": "stephen", "tony": "toni", "lee": "leigh", "louis": "lewis", "mark": "marc", "megan": "meghan",
    "natalie": "nathalie", "robin": "robyn", "roger": "rodger", "lindsay": "linsey lindsey",
    "zachary": "zackary zachery", "zach": "zak", "sherry": "sheri cheri sherrie", "terry": "terri", "laurie": "lori",
    "jamie": "jaime", "jason": "jayson", "leslie": "lesley", "linda": "lynda", "lynn": "lynne", "gail": "gayle",
    "ronda": "rhonda", "ivonne": "yvonne", "stuart": "stewart", "walter": "walther", "simon": "symon",
    "colin": "collin", "dylan": "dillon", "aaron": "aron", "arthur": "artur", "henry": "henri", "joseph": "josef",
    "peter": "pieter",
}
"""By the spelling of a name that stays, the others."""

JOINED = {
    r"\bet\s+cetera\b": "etc", r"\bal\s+right\b": "alright", r"\ball\s+right\b": "alright",
    r"\bhow\s+ever\b": "however", r"\bwi\s+fi\b": "wifi", r"\bhi\s+fi\b": "hifi", r"\blo\s+fi\b": "lofi",
    r"\bsci\s+fi\b": "scifi", r"\be\s+mail\b": "email", r"\be\s+book\b": "ebook", r"\be\s+commerce\b": "ecommerce",
    r"\bx\s+ray\b": "xray", r"\bt\s+shirt\b": "tshirt", r"\ba\s+m\b": "am", r"\bp\s+m\b": "pm", r"\bo\s+k\b": "okay",
}
"""Words written apart that become one, by pattern, in this order."""

FILLERS = (
    "hmm", "mm", "mhm", "mmm", "uh", "um", "ah", "aha", "ahh", "ahm", "eh", "ehehe", "em", "hm", "huh", "hum",
    "mhum", "uhm", "umm", "uhuh",
)
# fmt: on
