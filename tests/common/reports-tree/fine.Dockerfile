FROM debian
RUN --mount=type=cache,id=m,target=/m make
