FROM debian:13
RUN --mount=type=cache,id=g,target=/g,sharing=locked make -C /g
