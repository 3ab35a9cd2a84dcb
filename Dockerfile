# The gateway's image: one binary, nothing to configure at build time.
#
#   docker build -t vetgate .
#   docker run --env-file vetgate.env -p 8080:8080 vetgate

FROM rust:1.95-slim-bookworm AS builder
WORKDIR /src
COPY . .
# The queries are checked by the committed data in .sqlx; no database is needed to build.
ENV SQLX_OFFLINE=true
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package vetgate \
    && cp target/release/vetgate /usr/local/bin/vetgate

FROM debian:bookworm-slim
# The roots by which the vendors' certificates are judged.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /usr/local/bin/vetgate /usr/local/bin/vetgate
USER 10001:10001
ENV VETGATE_LISTEN=0.0.0.0:8080
EXPOSE 8080
# No HEALTHCHECK: whoever runs the container asks /healthz (alive) and /readyz (can serve) over HTTP.
STOPSIGNAL SIGTERM
ENTRYPOINT ["vetgate"]
CMD ["serve"]
