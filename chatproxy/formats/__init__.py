"""Text formats that several parts read or write. Imports nothing else of chatproxy."""
