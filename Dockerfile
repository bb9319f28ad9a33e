# The image: one static binary, CA certificates, nothing else; no shell, no package manager.
#
#   docker build -t ghcr.io/llm-d-incubation/scale-from-zero:v0.1.0 \
#     --build-arg SCALE_FROM_ZERO_COMMIT="$(git rev-parse HEAD)" \
#     --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" .
#
# The two arguments are what `version` tells; without them the commit is unknown. The binary is built by the script that
# builds a release's.
#
# Both base images are pinned by tag. For a release, pin them by digest too: a tag can move. This prints the digest to
# put behind each, as in image:tag@sha256:...
#   docker buildx imagetools inspect docker.io/library/rust:1.95.0-slim-bookworm
ARG BUILD_IMAGE=docker.io/library/rust:1.95.0-slim-bookworm
ARG BASE_IMAGE=gcr.io/distroless/static-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
# musl-gcc, for the C and assembly parts of the TLS library.
RUN apt-get update \
    && apt-get install -y --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /src
COPY . .
ARG SCALE_FROM_ZERO_COMMIT
ARG SOURCE_DATE_EPOCH
# Without `demo`: the image needs no cluster inside. It fails where the binary is not static, or does not start: better
# found here than in a cluster. The caches are outside of the image and only save time.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    scripts/static-binary /scale-from-zero

FROM ${BASE_IMAGE}
COPY --from=build /scale-from-zero /scale-from-zero
# A number, so that the kubelet can tell that it is not root (runAsNonRoot). Any other number will do as well.
USER 65532:65532
EXPOSE 8085
ENTRYPOINT ["/scale-from-zero"]
CMD ["run", "--config", "/etc/scale-from-zero/config.yaml"]
