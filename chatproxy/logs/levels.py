"""The names of the levels in the settings, in Python's logging, and on the platform."""

import logging

TRACE = 5
SILENT = 100

#: Names of the settings to Python's levels.
LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "silent": SILENT,
}

#: Python's levels to the numbers of the platform.
NUMBERS = {
    TRACE: 10,
    logging.DEBUG: 20,
    logging.INFO: 30,
    logging.WARNING: 40,
    logging.ERROR: 50,
    logging.CRITICAL: 60,
}

#: The platform's numbers to the names that people read.
SHORT_NAMES = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}
