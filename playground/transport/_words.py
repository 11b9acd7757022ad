"""How a value that came from an app stands in a message: short, and without asking the app's own objects."""

__all__ = ["show"]


def show(value: object) -> str:
    """Show a built-in value, cut short; of anything else only its type, for a user's object is not asked."""
    if value is None or type(value) in (str, bytes, int, float, bool):
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    return f"a {type(value).__name__}"
