# SPDX-License-Identifier: GPL-3.0-or-later
# make deploy   a running, verified stack on a local kind cluster
# make test     lint, scan, unit tests, integration tests, Molecule
# make scan     independent scanners on what dev and prod would apply, and on this repository
# make gates    what Galaxy and the community ask of a collection, on the archive that users install
# make benchmark  what deploys cost, beside kubectl, Helm and kubernetes.core: docs/performance.md
# make benchmark-compare REF=…  what an unchanged deploy costs, beside a commit
# make test-long  what takes too long for every change: kill the client at every request of a deploy, long tests of scenarios,
#                 drains and the death of a node, a release behind a real Traefik
# make alarms   the alarms in a real Prometheus that scrapes a real kube-state-metrics; part of make test-long
# make argument-specs  write the argument specs of the roles from their defaults
# make docs     the documentation as a site, below .local/docs/html; make test-docs looks at it in a browser, and leaves four
#                 pictures in .local/docs/pictures
# make pictures draw the pictures in docs/images from their texts
# make release VERSION=…  the changelog, the version, a tag and the artefact of a release; make artefact builds that of the present commit
# make clean    remove the local clusters and everything this checkout made

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := deploy
# A shell that was set up for another Ansible project must not change what runs here.
unexport ANSIBLE_CONFIG ANSIBLE_VAULT_PASSWORD_FILE K8S_AUTH_KUBECONFIG K8S_AUTH_CONTEXT
# Programs of the tests are started hundreds of times: they compile themselves once.
unexport PYTHONDONTWRITEBYTECODE
# The collections of this checkout, before those in ~/.ansible.
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections

VENV := .venv
BIN := $(VENV)/bin
ANSIBLE_PLAYBOOK := $(BIN)/ansible-playbook
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/.local/bin:$(PATH)

# The newest Python from 3.11 to 3.14 that really runs and can make a virtual environment. A name on PATH proves neither:
# pyenv leaves shims of versions that are not selected, Debian ships python3 without ensurepip.
PYTHON_MINORS := 14 13 12 11
find_python = for minor in $(PYTHON_MINORS); do \
    for candidate in "python3.$$minor" "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.$$minor.*/bin/python3; do \
      if "$$candidate" -c 'import ensurepip, ssl, venv' >/dev/null 2>&1; then echo "$$candidate"; exit 0; fi; \
    done; \
  done; \
  echo "No Python from 3.$(lastword $(PYTHON_MINORS)) to 3.$(firstword $(PYTHON_MINORS)) runs here (with venv and ensurepip): install one, on Debian 'python3 python3-venv'." >&2; exit 1

# pip would compile the 13,000 files of the collections in PyPI's ansible, one by one; Ansible never reads the result. As with pip,
# a file that this Python cannot compile is no error: packages have some for other versions.
define install_packages
	@started=$$SECONDS; python=$$($(find_python)); \
	echo "==> Python environment in $(VENV) with $$($$python --version): $(2)"; \
	$$python -m venv --clear $(VENV); \
	$(BIN)/pip install --disable-pip-version-check --no-compile $(1); \
	$(BIN)/pip check --disable-pip-version-check; \
	$(BIN)/python -m compileall -qq -j 0 -x /ansible_collections/ $(VENV)/lib || true; \
	touch $@; echo "    took $$((SECONDS - started)) s"
endef

# The lock file names every package for every Python, so nothing is resolved again; pip's check would find one that is missing.
$(VENV)/.complete: requirements.lock
	$(call install_packages,--no-deps --requirement $<,everything of $<)

# What the product needs, which is there in a quarter of the time. `make test` adds the rest.
$(VENV)/.runtime: requirements.lock requirements.txt
	$(call install_packages,--constraint $< --requirement requirements.txt ansible-core,what the product needs)

.PHONY: deploy
deploy: $(VENV)/$(if $(wildcard $(VENV)/.complete),.complete,.runtime)
	@$(ANSIBLE_PLAYBOOK) playbooks/local_cluster.yml -i inventories/dev
	@$(ANSIBLE_PLAYBOOK) playbooks/deploy.yml -i inventories/dev
	@$(ANSIBLE_PLAYBOOK) playbooks/verify.yml -i inventories/dev -e verify_end_to_end=true
	@printf '\nAgent Smith runs on the local cluster, in the namespace agentsmith:\n\n'
	@.local/bin/kubectl --kubeconfig .local/kubeconfig -n agentsmith get pods
	@printf '\n%s\n' \
	  'Talk to it:      http://localhost:30090    the page of the stand-in Slack; type: fix #54 in agent-smith-test' \
	  'The Dispatcher:  http://localhost:30080/health' \
	  'Both are stand-ins (docker/stand-in): no Slack, no API key needed.' '' \
	  'Next:' \
	  '    source .venv/bin/activate                                                  # once a shell' \
	  '    ansible-playbook playbooks/deploy.yml -i inventories/dev --check --diff    # what a deploy would change' \
	  '    .local/bin/kubectl --kubeconfig .local/kubeconfig -n agentsmith logs deploy/agentsmith-dispatcher'

# One JUnit report a step; the last line of a whole run is their sum.
REPORTS := .local/reports
PYTEST := PYTHONPATH=.collections $(BIN)/pytest
# Molecule's own state belongs to this checkout: its default is one directory for all checkouts of the same name.
MOLECULE := MOLECULE_EPHEMERAL_DIRECTORY='$(CURDIR)/.local/molecule' MOLECULE_GLOB='molecule/*/molecule.yml' $(BIN)/molecule

.PHONY: test
test: clean-reports
	@status=0; $(MAKE) --no-print-directory test-steps || status=1; \
	$(BIN)/python tests/summary.py $(REPORTS) || status=1; exit $$status

# Two steps at a time, but for the last two, which measure times. Molecule waits for pods most of the time, so it leaves more than a
# processor to the step beside it. Each part is a make of its own: a part that has to wait holds up no other.
# What a step says is shown when it is over; the first ones show that they move, as they may compile Kubernetes and the scanners.
.PHONY: test-steps test-binaries test-molecule test-without-binaries test-with-binaries
test-steps: $(VENV)/.complete
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-molecule test-without-binaries test-with-binaries
	@$(MAKE) --no-print-directory contract molecule-timed

test-binaries: $(VENV)/.complete
	@$(MAKE) --no-print-directory --output-sync=none kubernetes-bin

test-molecule: test-binaries
	@$(MAKE) --no-print-directory molecule-untimed

test-without-binaries: $(VENV)/.complete
	@$(MAKE) --no-print-directory --output-sync=none lint scan
	@$(MAKE) --no-print-directory gates

test-with-binaries: test-binaries test-without-binaries
	@$(MAKE) --no-print-directory $(INTEGRATION) unit

.PHONY: clean-reports
clean-reports:
	@rm -rf $(REPORTS)

# Each linter has a target of its own, which .pre-commit-config.yaml calls. .importlinter states the layers.
LINTERS := lint-python lint-layers lint-types lint-yaml lint-changelog lint-ansible
.PHONY: lint $(LINTERS)
lint: $(LINTERS)
$(LINTERS): $(VENV)/.complete

lint-python:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-layers:
	PYTHONPATH=.collections $(BIN)/lint-imports --no-logo --no-cache

lint-types:
	$(BIN)/mypy

lint-yaml:
	$(BIN)/yamllint --strict .

lint-changelog:
	$(BIN)/antsibull-changelog lint

lint-ansible:
	$(BIN)/ansible-lint --offline --profile production

.PHONY: argument-specs
argument-specs: $(VENV)/.complete
	$(BIN)/python tools/argument_specs.py

# The scanners have an environment of their own, as checkov pins what the project needs newer. All checkouts share it.
SCANNERS = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/agentsmith.platform/scanners-$(shell \
  cat tests/scan/requirements.lock tests/scan/go.sum tests/scan/install | sha256sum | head --bytes=12)
.PHONY: scan
scan: $(VENV)/.complete
	@tests/scan/install $(CURDIR)/$(BIN)/python $(SCANNERS)
	$(SCANNERS)/bin/pytest tests/scan --junitxml $(REPORTS)/scan.xml

# Installs what is missing of these programs, whose Debian packages have the same names. RUNLEVEL keeps Debian from starting a service.
install_programs = packages=$$(for program in $(1); do command -v $$program >/dev/null || echo $$program; done); \
  if [ -n "$$packages" ]; then \
    echo "==> Installing $$packages"; apt-get update -qq; \
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $$packages >/dev/null; \
  fi

# The site is built in an environment of its own, as Sphinx and the linters disagree on packages. All checkouts share it.
DOCS := $(CURDIR)/.local/docs
DOCSITE = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/agentsmith.platform/docsite-$(shell \
  cat docs/docsite/requirements.lock docs/docsite/install | sha256sum | head --bytes=12)
.PHONY: docs test-docs pictures terminal-pictures
docs: $(VENV)/.complete
	@docs/docsite/install $(CURDIR)/$(BIN)/python $(DOCSITE)
	@$(DOCSITE)/bin/python docs/docsite/build.py $(DOCS)
	@echo "The documentation: $(DOCS)/html/index.html"

test-docs: docs
	@$(call install_programs,chromium)
	AGENTSMITH_SITE=$(DOCS)/html $(PYTEST) tests/docs --junitxml $(REPORTS)/docs.xml

pictures: $(VENV)/.complete
	$(BIN)/python tools/architecture_picture.py
	$(BIN)/python tools/terminal_pictures.py

# What the pictures of a terminal show is recorded on the cluster of `make deploy`
terminal-pictures: $(VENV)/.complete
	$(BIN)/python tools/terminal_pictures.py record

# Below .local/release: the archive that people install, and its checksum. Every build of a commit has the same bytes.
RELEASE := $(CURDIR)/.local/release
.PHONY: artefact release
artefact: $(VENV)/.complete
	@$(BIN)/python tools/artefact.py HEAD $(RELEASE)

release: $(VENV)/.complete
	@: $(or $(VERSION),$(error VERSION names the release: make release VERSION=1.2.3))
	@$(BIN)/python tools/release.py '$(VERSION)' $(RELEASE)

# What Galaxy, Automation Hub and the community's bundle ask of a collection, with the ansible-core of the environment.
# Like the scanners, the tools have environments of their own.
.PHONY: gates
gates: $(VENV)/.complete
	@core=$$($(BIN)/python -c 'import ansible.release; print(ansible.release.__version__)'); \
	tests/gates/run $(CURDIR)/$(BIN)/python "$$core" --junitxml $(REPORTS)/gates.xml

# All that the collection supports, each with a Python that it runs on
GATES_OF_ALL := gates-2.19 gates-2.20 gates-2.21
.PHONY: gates-all $(GATES_OF_ALL)
gates-all: $(GATES_OF_ALL)
gates-2.19: core := 2.19.14
gates-2.19: PYTHON_MINORS := 11
gates-2.20: core := 2.20.10
gates-2.20: PYTHON_MINORS := 12
gates-2.21: core := 2.21.5
gates-2.21: PYTHON_MINORS := 13
$(GATES_OF_ALL):
	@python=$$($(find_python)); \
	AGENTSMITH_LONG_TESTS=1 tests/gates/run "$$python" $(core) --junitxml $(REPORTS)/$@.xml

# Prometheus, its test of rules and the exporter of Redis, as Debian packages them. They are unpacked, not installed, because the packages start servers.
PROMTOOL := .local/bin/promtool
SCRAPERS := $(addprefix .local/bin/,prometheus prometheus-redis-exporter)
$(PROMTOOL) $(SCRAPERS): package = prometheus
.local/bin/prometheus-redis-exporter: package = prometheus-redis-exporter
$(PROMTOOL) $(SCRAPERS):
	@mkdir -p $(@D); if program=$$(command -v $(@F)); then ln -s "$$program" $@; else \
	  echo "==> Fetching $(@F)"; directory=$$(mktemp -d); trap 'rm -rf "$$directory"' EXIT; chmod 755 "$$directory"; \
	  download() { apt-get download -qq -o APT::Sandbox::User=root $(package); }; \
	  (cd "$$directory"; download || { apt-get update -qq; download; }) && \
	  dpkg-deb --fsys-tarfile "$$directory"/$(package)_*.deb | tar --extract --to-stdout ./usr/bin/$(@F) >"$$directory/$(@F)" && \
	  install "$$directory/$(@F)" $@; \
	fi

# The alarms in a real Prometheus that scrapes a real kube-state-metrics, cert-manager and exporter of Redis
.PHONY: alarms
alarms: kubernetes-bin $(SCRAPERS)
	@$(call install_programs,redis-server)
	@tests/install-program kube-state-metrics tests/alarms >/dev/null
	@tests/install-program cert-manager docker/way-in/cert-manager >/dev/null
	AGENTSMITH_KUBERNETES_BIN=$(KUBERNETES_BIN) $(PYTEST) tests/alarms --junitxml $(REPORTS)/alarms.xml

.PHONY: unit
unit: $(VENV)/.complete $(PROMTOOL)
	$(PYTEST) tests/unit --numprocesses 2 --dist loadfile --junitxml $(REPORTS)/unit.xml

# The app's contract, with a real Redis, git, and the stand-in Slack's page in a real browser, as Debian packages them. What is
# held to it is the stand-in, or a real build, each part a program with its arguments or a container image:
#   make contract DISPATCHER='dotnet /path/AgentSmith.Dispatcher.dll' AGENT='dotnet /path/AgentSmith.Host.dll'
# Only what stands on the command line counts: other tools have a variable AGENT, too.
DIFFERENCES := known
ifeq ($(origin DISPATCHER),command line)
contract: export AGENTSMITH_DISPATCHER := $(DISPATCHER)
endif
ifeq ($(origin AGENT),command line)
contract: export AGENTSMITH_AGENT := $(AGENT)
endif
contract: export AGENTSMITH_DIFFERENCES := $(DIFFERENCES)
.PHONY: contract
contract: $(VENV)/.complete
	@$(call install_programs,redis-server chromium git)
	$(PYTEST) tests/contract --numprocesses 4 --dist worksteal --junitxml $(REPORTS)/contract.xml

# The cluster that molecule needs, and removes at its end. By the playbook, not by `molecule create`, which skips a cluster
# that it once made, even when its processes are gone.
TEST_CLUSTER := $(ANSIBLE_PLAYBOOK) playbooks/local_cluster.yml -i inventories/dev -e @molecule/target.yml
.PHONY: test-cluster
test-cluster: $(VENV)/.complete
	@# A run that was cut off says there that the scenario prod is prepared
	@rm -rf .local/molecule
	$(TEST_CLUSTER)

# The apply engine against a real API server, made of the binaries of the cluster's node; where the node was
# downloaded as an image, they are compiled.
KUBERNETES_BIN := $(CURDIR)/.local/kubernetes-bin
.PHONY: kubernetes-bin
kubernetes-bin: $(VENV)/.complete
	$(TEST_CLUSTER) -e local_cluster_state=prepared
	@binaries=$$(dirname "$$(readlink --canonicalize .local/bin/kubectl)"); \
	if [ ! -x "$$binaries/kube-apiserver" ]; then \
	  binaries=$(CURDIR)/.local/kubernetes/bin; docker/kind-node/compile "$$binaries"; \
	fi; \
	ln --symbolic --force --no-dereference "$$binaries" $(KUBERNETES_BIN)

# Two parts side by side, each with an API server of its own. What one says is shown when it is over.
TRANSACTIONS := $(addprefix tests/integration/,test_kill.py test_fault_table.py test_deploy_transaction.py test_rotate_secret.py test_teardown.py)
INTEGRATION := integration-transactions integration-engine
.PHONY: integration $(INTEGRATION)
integration: kubernetes-bin
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target $(INTEGRATION)

# A client is killed at every 60th request of a run; make test-long kills it at each (docs/reliability.md).
KILL_STRIDE := 60
integration-transactions:
	@echo "==> The kill test tries one request in $(KILL_STRIDE); make test-long tries every one"
	@AGENTSMITH_KUBERNETES_BIN=$(KUBERNETES_BIN) AGENTSMITH_KILL_STRIDE=$(KILL_STRIDE) \
	$(PYTEST) $(TRANSACTIONS) --junitxml $(REPORTS)/$@.xml

integration-engine:
	@AGENTSMITH_KUBERNETES_BIN=$(KUBERNETES_BIN) \
	$(PYTEST) tests/integration $(addprefix --ignore=,$(TRANSACTIONS)) --junitxml $(REPORTS)/$@.xml

# They take too long for every change: alarms waits for each, way_in compiles Traefik, cert-manager and Pebble, nodes makes a cluster of its own
LONG_SCENARIOS := alarms way_in nodes
# They bring their own cluster. In a run with scenarios that share one, Molecule would not make it.
OWN_CLUSTER := nodes
.PHONY: test-long
test-long: kubernetes-bin test-cluster test-docs gates-all alarms
	@AGENTSMITH_KUBERNETES_BIN=$(KUBERNETES_BIN) AGENTSMITH_KILL_STRIDE=1 \
	$(PYTEST) tests/integration/test_kill.py --junitxml $(REPORTS)/integration.xml
	AGENTSMITH_LONG_TESTS=1 $(MOLECULE) test $(addprefix --scenario-name=,drill installed prod rollback)
	$(MOLECULE) test $(addprefix --scenario-name=,$(filter-out $(OWN_CLUSTER),$(LONG_SCENARIOS)))
	$(MOLECULE) test $(addprefix --scenario-name=,$(OWN_CLUSTER))

# How often each command runs
RUNS := 7

# What an unchanged deploy costs, beside a commit: make benchmark-compare REF=main RUNS=15
.PHONY: benchmark-compare
benchmark-compare: kubernetes-bin
	@: $(or $(REF),$(error REF names the commit to compare with: make benchmark-compare REF=main))
	@AGENTSMITH_KUBERNETES_BIN=$(KUBERNETES_BIN) $(BIN)/python tests/benchmark/compare.py --runs $(RUNS) '$(REF)'

# Deploys beside kubectl, Helm and kubernetes.core; writes docs/performance.md. What has pods runs on the cluster of KUBECONFIG, without
# one on an API server of its own. Only the SCENARIOS, if they are named.
HELM = $(shell tests/install-program helm tests/benchmark)
SCENARIOS :=
.PHONY: benchmark
ifneq ($(origin KUBECONFIG),command line)
benchmark: override KUBECONFIG :=
endif
benchmark: kubernetes-bin
	@AGENTSMITH_KUBERNETES_BIN=$(KUBERNETES_BIN) $(BIN)/python tests/benchmark/suite.py --runs $(RUNS) --kubeconfig '$(KUBECONFIG)' \
	  --helm '$(HELM)' $(SCENARIOS)

# They measure times that the project promises
TIMED_SCENARIOS := deploy
.PHONY: molecule molecule-timed molecule-untimed molecule-programs
molecule: molecule-programs test-cluster
	$(MOLECULE) test --all $(addprefix --exclude=,$(LONG_SCENARIOS))

molecule-timed: test-cluster
	$(MOLECULE) test $(addprefix --scenario-name=,$(TIMED_SCENARIOS))

# The stand-in Slack's page is looked at in a browser
molecule-programs:
	@$(call install_programs,chromium)

# The cluster stays for the others. It is no prerequisite: make would begin all other steps before it came back to this one.
molecule-untimed: $(VENV)/.complete
	@$(MAKE) --no-print-directory molecule-programs test-cluster
	$(MOLECULE) test --all --destroy=never $(addprefix --exclude=,$(LONG_SCENARIOS) $(TIMED_SCENARIOS))

.PHONY: clean
clean:
	@if [ -x $(ANSIBLE_PLAYBOOK) ]; then \
	  $(ANSIBLE_PLAYBOOK) playbooks/local_cluster.yml -i inventories/dev -e local_cluster_state=absent; \
	  $(TEST_CLUSTER) -e local_cluster_state=absent; \
	  $(TEST_CLUSTER) -e @molecule/nodes/vars/target.yml -e local_cluster_state=absent; \
	else \
	  echo 'There is no $(VENV) to remove a local cluster with. Where one runs: make $(VENV)/.complete, and make clean again.'; \
	fi
	rm -rf .local .venv
