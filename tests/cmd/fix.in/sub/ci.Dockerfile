FROM debian
RUN --mount=type=cache,id=apt-cache,target=/var/cache/apt,sharing=locked apt-get update
