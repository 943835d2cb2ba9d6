# Every form that bake has.

variable "WORD" { default = "word" } # said
variable "DIR" {
  default = "d/${WORD}"
}

group "default" {
  targets = ["a", "b"]
}
group "all" {
  targets = [
    "a", "b", "oneline", "empty", "none", "objects", "mid", "leaf",
    "matrix", "dedent", "plain", "quoted",
  ]
}

target "base" {
  context = "."
  args = {
    A = "1"
    N = null
  }
}

target "a" {
  inherits = ["base"]
  dockerfile = "Dockerfile.a"
}

target "b" {
  inherits   = ["base", "other"]
  context    = DIR
  target     = "t-${WORD}"
  args = { B = WORD, "C" = "${WORD}-x", }
}

target "other" {
  dockerfile = "Dockerfile.other"
}

target "oneline" { context = "one" }
target "empty" {}
target "none" {
  args = {}
}

target "objects" {
  args = {
    A = "1", # a
    B = <<E
several
lines
E
  }
}

target "mid" {
  context = "mid"
}
target "leaf" {
  inherits = ["mid"]
  target   = "leaf"
}

target "matrix" {
  name = "matrix_of_${os}"
  matrix = {
    os = ["x", "y"]
  }
  dockerfile = "Dockerfile.${os}"
  args = {
    OS = os
  }
}

target "dedent" {
  dockerfile-inline = <<-EOT
    # syntax=docker/dockerfile:1
    FROM debian
      # gone

    RUN --mount=type=cache,id=apt,target=/var/cache/apt \
      echo $${HOME} $HOME %%{ $$ ${WORD} && apt-get update
  EOT
}

target "plain" {
  dockerfile-inline = <<EOT
FROM debian
# gone
  RUN --mount=type=cache,id=apt,target=/x apt-get update
EOT
}

target "quoted" {
  dockerfile-inline = "FROM debian\nRUN apt-get update $${X}\n"
}
