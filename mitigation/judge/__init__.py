"""A language model as a detector: the rubric, what is made of its answers, and the session that asks it."""
