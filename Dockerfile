# The images a session runs in: one stage a variant, each named as the variant is.
#
# It builds with the engine's classic builder, so with Docker and Podman alike: no BuildKit syntax here. The context is
# made by src/container/image.rs: this file and ca/extra.crt, the certificates of a proxy that re-signs TLS (empty where
# there is none). Of that, nothing reaches a variant: they are mounted when a session runs.
#
# A variant's tag follows from the instructions of the stages that it is made of, so a change there has every user of it
# build anew; comments do not count. The engine is sent those stages alone: its classic builder would build others too.

# What the registry of npm is asked with.
FROM debian:trixie-slim AS npm

RUN apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates npm \
    && rm -rf /var/lib/apt/lists/*

COPY ca/extra.crt /tmp/extra.crt

# Says which version of Claude Code is the latest. Nothing of it goes on.
FROM npm AS latest

# Another one each time: an answer of yesterday is none.
ARG ASKED_AT

RUN if [ -s /tmp/extra.crt ]; then export NODE_EXTRA_CA_CERTS=/tmp/extra.crt; fi \
    && found=$(npm view --cache /tmp/npm --fetch-retry-maxtimeout 10000 @anthropic-ai/claude-code version) \
    && echo "asked at $ASKED_AT: latest=$found" \
    && rm -rf /tmp/npm

# Fetches Claude Code. Node and npm end here; what goes on is the one native binary, which needs neither.
FROM npm AS cli

ARG CLAUDE_CODE_VERSION=2.1.329

# npm picks the package of the engine's architecture, checks its digest, and links the binary to bin/claude. A platform
# package that npm cannot get is no error to it, and a version whose `engines` do not fit may be replaced by an older one:
# so the binary itself is asked.
RUN if [ -s /tmp/extra.crt ]; then export NODE_EXTRA_CA_CERTS=/tmp/extra.crt; fi \
    && npm install --global --prefix /opt/npm --cache /tmp/npm --no-audit --no-fund --no-update-notifier \
        --fetch-retry-maxtimeout 10000 \
        "@anthropic-ai/claude-code@$CLAUDE_CODE_VERSION" \
    && mv "$(readlink -f /opt/npm/bin/claude)" /usr/local/bin/claude \
    && rm -rf /opt/npm /tmp/npm \
    && found=$(claude --version) \
    && if [ "${found%% *}" != "$CLAUDE_CODE_VERSION" ]; then \
        echo "Claude Code $CLAUDE_CODE_VERSION was asked for, but npm brought: $found" >&2; exit 1; \
    fi

# The variant every other one is made from.
FROM debian:trixie-slim AS base

RUN apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates curl git jq less openssh-client procps ripgrep sudo \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
    && useradd --uid 1000 --user-group --create-home --shell /bin/bash claude \
    && echo 'claude ALL=(ALL:ALL) NOPASSWD:ALL' >/etc/sudoers.d/claude \
    && chmod 0440 /etc/sudoers.d/claude \
    && install -d -o claude -g claude /app /home/claude/.claude

COPY --from=cli /usr/local/bin/claude /usr/local/bin/claude

# The image decides which Claude Code it has: an update inside would be gone with the container.
ENV LANG=C.UTF-8 DISABLE_AUTOUPDATER=1

WORKDIR /app
USER claude
CMD ["bash"]

# Go, with the tools its projects lean on: the language server, the debugger, and a C compiler for cgo and `go test -race`.
FROM base AS go

USER root
RUN apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        delve gcc golang-go gopls libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
USER claude

# The languages of most projects. Gradle is not here: Debian's is 4.4, which runs on no JDK of today, and projects bring gradlew.
# The folder for manual pages is what the JDK's packages fail without; slim images have none.
FROM go AS full

USER root
RUN install -d /usr/share/man/man1 \
    && apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        build-essential cmake gdb pkg-config \
        cargo rust-clippy rustc rustfmt \
        maven openjdk-21-jdk-headless \
        nodejs npm \
        python3 python3-dev python3-pip python3-venv \
        postgresql-client sqlite3 \
    && rm -rf /var/lib/apt/lists/*
USER claude

# The command lines of the clouds, as far as Debian has them: Google's is not among its packages.
FROM full AS cloud

USER root
RUN apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        awscli azure-cli \
    && rm -rf /var/lib/apt/lists/*
USER claude

# Kubernetes, as far as Debian has it: neither helm nor k9s is among its packages.
FROM full AS k8s

USER root
RUN apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        kubernetes-client kustomize \
    && rm -rf /var/lib/apt/lists/*
USER claude
