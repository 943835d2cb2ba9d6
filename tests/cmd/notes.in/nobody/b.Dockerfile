FROM debian:13
ARG CACHE_ID=default
RUN --mount=type=cache,id=nobody-b-${CACHE_ID},target=/a,sharing=locked make
