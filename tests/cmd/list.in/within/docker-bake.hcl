target "app" {
  dockerfile-inline = <<EOT
FROM debian:13
ARG CACHE_ID=default
RUN --mount=type=cache,id=apt-$${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update
EOT
}
