# keyside-server in the place of redis:7-alpine: the same port, volume, command line and health check. What is not given on
# the command line is set in deploy/entrypoint.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --release --locked --features native --bin keyside-server

FROM debian:bookworm-slim
# redis-cli, for the health check and for people.
RUN apt-get update && apt-get install -y --no-install-recommends redis-tools && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 999 keyside && useradd --system --uid 999 --gid 999 --home-dir /data --no-create-home keyside
RUN mkdir /data && chown 999:999 /data
COPY --from=build /build/target/release/keyside-server /usr/local/bin/keyside-server
COPY deploy/entrypoint /usr/local/bin/entrypoint
RUN ln -s keyside-server /usr/local/bin/redis-server
USER 999:999
WORKDIR /data
VOLUME /data
EXPOSE 6379
HEALTHCHECK --interval=10s --timeout=3s --retries=3 CMD redis-cli ping
ENTRYPOINT ["entrypoint"]
CMD ["keyside-server"]
