"""The README's first code does what the README says."""

import re
import runpy
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_the_first_code_finds_the_call_that_blocks(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.+?)^```$", README.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    script = tmp_path / "first.py"
    script.write_text(code, encoding="utf-8")
    names = runpy.run_path(str(script))
    with names["lab"]:
        (finding,) = names["run"].diagnosis
    line = 1 + next(at for at, text in enumerate(code.splitlines()) if "time.sleep(0.2)" in text)
    assert "`time.sleep(0.2)` on the loop" in str(finding)
    assert re.search(rf"first\.py, line {line}\b", str(finding))
    assert [response.status_code for response in names["run"].responses] == [200] * 50
