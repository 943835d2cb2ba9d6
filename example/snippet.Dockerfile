# A piece that another tool puts below a FROM: it has none of its own.
RUN --mount=type=cache,id=apt-cache,sharing=locked,target=/var/cache/apt apt-get install -y ccache
