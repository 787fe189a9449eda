# One image per process, each with its own drivers only. Runs as a plain user on a read-only root.
ARG BASE_IMAGE=python:3.11-slim
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS consoles
WORKDIR /src/consoles
COPY consoles/package.json consoles/package-lock.json consoles/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY gateway/schema.graphql /src/gateway/schema.graphql
COPY consoles ./
RUN npm run build

FROM ${BASE_IMAGE} AS build
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY protos protos
COPY kit kit
COPY services services
COPY gateway gateway
COPY cli cli
# Byte code is written here, because the root is read-only where it runs.
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1

FROM build AS build-hierarchy
RUN uv venv /venv && uv pip install --python /venv --constraint requirements.lock ./protos '.[hierarchy]'
FROM build AS build-groups
RUN uv venv /venv && uv pip install --python /venv --constraint requirements.lock ./protos '.[groups]'
FROM build AS build-messaging
RUN uv venv /venv && uv pip install --python /venv --constraint requirements.lock ./protos '.[messaging]'
FROM build AS build-gateway
RUN uv venv /venv && uv pip install --python /venv --constraint requirements.lock ./protos '.[gateway]'

FROM ${BASE_IMAGE} AS base
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
USER 10001:10001

FROM base AS hierarchy
COPY --from=build-hierarchy /venv /venv
EXPOSE 50051 9464
ENTRYPOINT ["python", "-m", "services.hierarchy"]

FROM base AS groups
COPY --from=build-groups /venv /venv
EXPOSE 50051 9464
ENTRYPOINT ["python", "-m", "services.groups"]

FROM base AS messaging
COPY --from=build-messaging /venv /venv
EXPOSE 50051 9464
ENTRYPOINT ["python", "-m", "services.messaging"]

FROM base AS gateway
COPY --from=build-gateway /venv /venv
COPY --from=consoles /src/consoles/dist /srv/consoles
EXPOSE 8000 9464
ENTRYPOINT ["python", "-m", "gateway"]
