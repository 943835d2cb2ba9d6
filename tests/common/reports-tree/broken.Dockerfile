FROM debian
RUN --mount=type=cache,target=/x <<END
make
