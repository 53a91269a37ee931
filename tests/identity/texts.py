"""Texts that something between a caller and a row could take for something else."""

SQL = {
    "sql-end": "'; DROP TABLE users; --",
    "sql-or": "' OR '1'='1",
    "sql-quoted": '" OR ""="',
    "sql-union": "x' UNION SELECT digest FROM api_keys --",
    "sql-comment": "a/**/b -- c # d",
    "sql-like": "%_[a-z]",
    "parameters": "%s %(name)s :name ? $1 {0} {name}",
    "backslashes": "\\' \\\\ \\x00 \\u0000 E'\\n'",
}

SCRIPTS = {
    "latin": "Ærøskøbing ß ñ",
    "cyrillic": "Ёлка",
    "greek": "Ὀδυσσεύς",
    "arabic": "محمد\u200f (1)",
    "hebrew": "שָׁלוֹם",
    "override": "\u202egnp.exe\u202c",
    "devanagari": "क्षत्रिय",
    "thai": "น้ำใจ",
    "chinese": "王小明",
    "japanese": "ﾊﾝｶｸ ハンカク が",
    "korean": "한글 한글",
    "beyond-16-bits": "𠮷野家 𝔘𝔫𝔦",
    "emoji": "👩🏽‍💻🏳️‍🌈🇩🇪",
    "combining": "e\u0301 Z\u0351\u036b\u0343",
    "invisible": "a\u200b\u00ad\ufeffb",
    "unassigned": "\U000e0fff\uffff",
}

PLAIN = {
    "one-space": " ",
    "spaces-around": " alice ",
    "null": "null",
    "number": "0123",
    "list": "[1]",
    "path": "../../etc/passwd",
    "mail": "alice+chat@example.com",
    "markup": "<script>alert(1)</script>&amp;",
    "lines": "a\r\nb\tc\x1b[31m\x7f",
}

LONG = {
    "255-letters": "x" * 255,
    "255-emoji": "🐈" * 255,
    "255-marks": "\u0301" * 255,
}

#: All of 1 to 255 characters.
TEXTS = SQL | SCRIPTS | PLAIN | LONG
