"""The course's checks: each exercise is asked of what somebody's own code did, and answered at once, in words.

`check("09.1", app)` runs the app where that is exact, in virtual time, and judges the recording: counts, orders and
ratios, and never how fast the machine is. `checking` decides how a check goes, `exercise` what an exercise is, and each
`lesson_NN` which there are, by which rules they are judged and which mistakes are explained. The room refuses to know
the text of the lessons, which is in the notebooks, and who is asked: nothing leaves the kernel, and no mark is kept but
the points of the last check.
"""

from playground.course.checked import Checked
from playground.course.checking import check, points, restart
from playground.course.programs import Program
from playground.course.table import exercise, exercises, program

__all__ = ["Checked", "Program", "check", "exercise", "exercises", "points", "program", "restart"]
