docker build - <<DOCKERFILE
FROM debian
RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update
DOCKERFILE
