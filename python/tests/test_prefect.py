"""With a real Prefect: its settings are read, whichever way they were set. LICTOR_PREFECTS lists its venvs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"
VENVS = os.environ["LICTOR_PREFECTS"].split(os.pathsep)

READ = """
import json
from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, temporary_settings
from lictor_prefect import ServiceNotConfigured, service
from lictor_prefect._prefect import client_settings, flow_run_id

def seen():
    settings = client_settings()
    with service("billing") as client:
        return [str(client.base_url), settings.headers(), settings.skip_verify, settings.cert_file]

first = seen()
with temporary_settings({PREFECT_API_URL: "https://b.example/api", PREFECT_API_KEY: "lct_b"}):
    second = seen()
with temporary_settings(restore_defaults={PREFECT_API_URL}):
    try:
        third = seen()
    except ServiceNotConfigured as error:
        third = str(error)
print("READ " + json.dumps([first, second, third, flow_run_id()]))
"""


@pytest.mark.parametrize("venv", VENVS, ids=lambda venv: Path(venv).name)
def test_settings_of_the_environment_a_file_and_the_code(venv: str, tmp_path: Path) -> None:
    # A table of ours is none of Prefect's business.
    (tmp_path / "prefect.toml").write_text(
        '[api]\nurl = "https://a.example/prefect/api"\n[lictor.services]\nbilling = "http://localhost:9000"\n'
    )
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(tmp_path),
        "PYTHONPATH": str(SOURCES),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-Lictor-Token": "lcf_a"}',
        "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "true",
        "PREFECT_API_SSL_CERT_FILE": "/ca.pem",
        "PREFECT__FLOW_RUN_ID": "0198c0de-0000-7000-8000-000000000000",
    }
    command = [f"{venv}/bin/python", "-c", READ]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("READ ")]
    first, second, third, run = json.loads(line.removeprefix("READ "))
    run_token = {"x-lictor-token": "lcf_a"}
    assert first == ["https://a.example/prefect/.lictor/svc/billing/", run_token, True, "/ca.pem"]
    # The run's token wins over the key.
    assert second == ["https://b.example/.lictor/svc/billing/", run_token, True, "/ca.pem"]
    assert third[0] == "http://localhost:9000/"
    assert run == env["PREFECT__FLOW_RUN_ID"]
