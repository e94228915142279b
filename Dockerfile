# The images a session runs in: one stage a variant, each named as the variant is.
#
# It builds with the engine's classic builder, so with Docker and Podman alike: no BuildKit syntax here. The context is
# made by src/container/image.rs: this file and ca/extra.crt, the certificates of a proxy that re-signs TLS (empty where
# there is none). Of that, nothing reaches a variant: they are mounted when a session runs.
#
# A change here changes the images' tags, so every user's next session builds anew.

# Fetches Claude Code. Node and npm end here; what goes on is the one native binary, which needs neither.
FROM debian:trixie-slim AS cli

RUN apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates npm \
    && rm -rf /var/lib/apt/lists/*

COPY ca/extra.crt /tmp/extra.crt

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

# The variant every other one is made from (FROM base, USER root, what it adds, USER claude).
FROM debian:trixie-slim AS base

RUN apt-get update --error-on=any \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates curl git jq less openssh-client procps ripgrep sudo \
    && rm -rf /var/lib/apt/lists/* \
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
