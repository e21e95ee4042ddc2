# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that objects are written to: an object a file, Secrets apart and without values."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.manifest_files import (
    HEADER,
    FilesError,
    file_texts,
)


def manifest(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


def test_every_object_is_a_file_of_its_own() -> None:
    objects = [manifest("Deployment", "redis"), manifest("Role", "system:Reader"), manifest("Namespace", "z")]
    texts = file_texts(objects)
    assert texts.keys() == {"deployment-redis.yaml", "role-system-reader.yaml", "00-namespace-z.yaml", "Kustomization"}
    assert yaml.safe_load(texts["role-system-reader.yaml"]) == objects[1]
    assert all(text.startswith(HEADER) for text in texts.values())


def test_kubectl_meets_the_namespace_first() -> None:
    objects = [manifest(kind, "a") for kind in ("ConfigMap", "Namespace", "ServiceAccount", "Role", "RoleBinding")]
    paths = sorted(file_texts(objects))
    assert paths[0] == "00-namespace-a.yaml"
    assert paths.index("role-a.yaml") < paths.index("rolebinding-a.yaml")


def test_kustomization_lists_what_can_be_applied() -> None:
    objects = [manifest("Service", "b"), manifest("Secret", "s"), manifest("ConfigMap", "a")]
    kustomization = yaml.safe_load(
        file_texts(objects, kept=["role-x.yaml", "secrets/secret-y.yaml", "Kustomization"])["Kustomization"]
    )
    assert kustomization == {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["configmap-a.yaml", "role-x.yaml", "service-b.yaml"],
    }


def test_a_secret_has_its_keys_and_no_value() -> None:
    secret = manifest("Secret", "s", type="Opaque", data={"b": "TUFSS0VE"}, stringData={"a": "MARKED"})
    text = file_texts([secret])["secrets/secret-s.yaml"]
    assert "MARKED" not in text
    assert "TUFSS0VE" not in text
    assert yaml.safe_load(text) == {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque"}
    assert text.endswith('# stringData:\n#   a: ""\n#   b: ""\n')
    uncommented = text.partition("# stringData")[0] + 'stringData:\n  a: ""\n  b: ""\n'
    assert yaml.safe_load(uncommented)["stringData"] == {"a": "", "b": ""}


def test_a_secret_without_data() -> None:
    assert yaml.safe_load(file_texts([manifest("Secret", "s", data=None)])["secrets/secret-s.yaml"]) == manifest(
        "Secret", "s"
    )


def test_texts_survive_and_several_lines_are_a_block() -> None:
    data = {"a.yml": "x: 1\ny:\n- z\n", "odd": "trailing \n\n  lead\n", "empty": "", "yes": "no", "emoji": "\U0001f600"}
    text = file_texts([manifest("ConfigMap", "c", data=data)])["configmap-c.yaml"]
    assert yaml.safe_load(text)["data"] == data
    assert "  a.yml: |\n    x: 1\n" in text


def test_no_yaml_alias_is_written() -> None:
    shared = {"app": "redis"}
    text = file_texts([manifest("Service", "s", one=shared, two=shared)])["service-s.yaml"]
    assert "&" not in text
    assert "*" not in text


@pytest.mark.parametrize(
    "entry", [{}, {"kind": "Secret"}, {"kind": "A", "metadata": None}, {"metadata": {"name": "x"}}]
)
def test_what_is_no_object_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(FilesError, match="no kind or no metadata.name"):
        file_texts([entry])


def test_two_objects_of_one_name_are_refused() -> None:
    with pytest.raises(FilesError, match=r"Two objects would be written to service-s\.yaml"):
        file_texts([manifest("Service", "s"), manifest("Service", "s")])
