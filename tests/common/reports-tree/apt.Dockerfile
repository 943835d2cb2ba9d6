# syntax=docker/dockerfile:1
FROM debian AS base
ARG CACHE_ID=default
RUN echo "does not need the argument"
RUN --mount=type=cache,id=apt-cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install -y git

FROM debian
RUN --mount=type=cache,id=apt-cache,target=/var/cache/apt,sharing=locked apt-get install -y curl
RUN --mount=type=cache,id=apk-${CACHE_ID},target=/var/cache/apk,sharing=private apk add curl
RUN --mount=type=cache,id=pip,target=/root/.cache/pip,sharing=locked pip install uv
