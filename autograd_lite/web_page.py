"""What every web page that the project writes has: data that are safe in it, and a policy."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

__all__ = ["embedded", "policy"]


def embedded(data: Any) -> str:
    """JSON for a script element, escaped so that no name in it can end the element.

    Example:
        >>> print(embedded({"name": "</script>"}))
        {"name":"\\u003c/script\\u003e"}
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def policy(style: str, *scripts: str) -> str:
    """The policy of a page: nothing is fetched; only this style and these scripts are allowed."""
    allowed = f"script-src {' '.join(map(_hashed, scripts))}; " if scripts else ""
    return (
        f"default-src 'none'; img-src data:; {allowed}style-src {_hashed(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
