FROM debian
ARG CACHE_ID=default
RUN --mount=type=cache,id=apt-cache-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update
