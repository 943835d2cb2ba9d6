def install(packages):
    return f"""RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked \\
    apt-get install -y {" ".join(packages)}
"""
