"""How good the challenger is, and whether it becomes the champion."""
