"""What the server answers where it refuses."""

from ..answers import Answer, Refusal, json_answer, phrase

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
}


class Thrown(Exception):
    """What the server throws at a request, for its handler of errors to answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def refusal(self, *, is_january: bool) -> Refusal:
        """Return what becomes of it. In January the handler made a 500 of everything."""
        return of_api(500 if is_january else self.status, self.message)


def of_api(status: int, message: str) -> Refusal:
    """Refuse with a message, and the code that goes with the status."""
    return Refusal(status, {"error": {"message": message, "code": CODES.get(status, "ERROR")}})


def of_body(*fields: str) -> Refusal:
    """Say which fields of a body are wrong, in the form of the vendor's validator."""
    issues = [
        {"code": "invalid_type", "path": [name] if name else [], "message": "Invalid input"}
        for name in fields or ("",)
    ]
    return Refusal(400, {"success": False, "error": {"issues": issues, "name": "ZodError"}})


def of_status(status: int) -> Answer:
    """Return an error for a bare status; below 400 there is none to tell."""
    if status < 400:
        return json_answer(status, {})

    answer = of_api(status, phrase(status, "Request failed")).answer()
    return answer.with_headers((b"retry-after", b"1")) if status == 429 else answer
