# Dependencies change rarely and are most of the image; the code changes daily and is a small layer of its own on top.
# Both depend on nothing but what goes in (not on times, nor on the builder's umask): the same commit, built by a
# colleague, gives layers that the server has already. That is why folders are copied by their parent: a folder
# that COPY makes itself would carry the time of the build.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/site.txt /tmp/site.txt
# pip stays behind in a venv of its own. Translations are read from .mo files, never from their .po sources.
RUN python3 -m venv /tmp/pip \
 && python3 -m venv --without-pip /venv \
 && /tmp/pip/bin/pip --python /venv/bin/python install --no-compile --require-hashes -r /tmp/site.txt \
 && find /venv -name '*.po' -delete \
 && /venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv \
 && chmod -R a=rX,u+w /venv \
 && find /venv -exec touch -h -d @0 {} + \
 && mkdir /layer \
 && mv /venv /layer/venv

FROM dependencies AS code
WORKDIR /code/app
COPY src/ ./
RUN find . -name __pycache__ -prune -exec rm -r {} + \
 && DJANGO_SECRET_KEY=not-used-for-files /layer/venv/bin/python -B manage.py collectstatic --no-input -v 0 \
 && /layer/venv/bin/python -m compileall -q -s /code -p / --invalidation-mode unchecked-hash /code/app \
 && chmod -R a=rX,u+w . \
 && find . -exec touch -h -d @0 {} +

FROM ${BASE_IMAGE}
COPY --from=dependencies /layer/ /
# Whoever runs the image may choose another user: no file of it needs to be theirs, but for what they mount at /data.
RUN mkdir -p /app /data /home/app \
 && chown 1234:1234 /data /home/app \
 && touch -d @0 /app /data /home /home/app
ENV PATH=/venv/bin:$PATH \
    HOME=/home/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_DATABASE_PATH=/data/db.sqlite3
WORKDIR /app
USER 1234:1234
EXPOSE 8888
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["python", "superlists/probe.py"]
# Two processes for two cores, threads for those who wait. Loaded once, before they fork: quicker to start, less memory.
CMD ["gunicorn", "superlists.wsgi", "--bind=0.0.0.0:8888", "--preload", "--workers=2", "--threads=4", \
     "--worker-tmp-dir=/dev/shm", "--no-control-socket", "--access-logfile=-"]
COPY --from=code /code/ /
