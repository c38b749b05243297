"""p values, and the interval that inverts one of them; nothing here knows a battle, only numbers and labels."""
