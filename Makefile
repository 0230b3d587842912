# Every target is a few lines: the work is in scripts/, and bootstrap gives the machine what it lacks.
.PHONY: demo story test lint bench proof-load proof-kills proof-faults requirements

demo:
	@scripts/bootstrap .venv/bin/pytest --deploy-to=sandbox

story:
	@scripts/bootstrap .venv/bin/pytest -s --no-header tests/integration/test_story.py

# Hundreds of children import the package: with its bytecode kept, each starts a fifth of a second sooner.
# A test that hangs fails by its name, and with where it was, after more seconds than any needs.
test: export PYTHONDONTWRITEBYTECODE =
test: lint
	@scripts/bootstrap --image=debian:trixie-slim .venv/bin/pytest -n2 --dist=loadfile --timeout=900

lint:
	@scripts/bootstrap scripts/lint

bench:
	@scripts/bootstrap .venv/bin/python -m benchmarks

proof-load proof-kills proof-faults:
	@scripts/bootstrap .venv/bin/python -m proofs $(@:proof-%=%) --into=docs

requirements:
	@scripts/requirements
