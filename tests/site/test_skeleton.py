from __future__ import annotations

import base64
import hashlib

from mmulbench.site.skeleton import TEMPLATES, policy, run_address, source


def test_a_page_without_scripts_runs_none():
    assert "script-src 'none'" in policy(())
    assert policy(()).startswith("default-src 'none';")


def test_scripts_are_allowed_by_their_digest_alone():
    digest = base64.b64encode(hashlib.sha256(b"a()").digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy(["a()"])
    assert "unsafe-inline' script" not in policy(["a()"]) and "unsafe-eval" not in policy(["a()"])


def test_scripts_and_styles_end_no_element_that_they_stand_in():
    for path in TEMPLATES.iterdir():
        if path.suffix in (".js", ".css"):
            assert "</" not in source(path.name) and "<!--" not in source(path.name)
            assert "\r" not in source(path.name)


def test_the_address_of_a_run():
    assert run_address("0a1b") == "runs/0a1b.html"
