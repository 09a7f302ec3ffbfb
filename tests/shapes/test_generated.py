"""The generated shapes are those of the vendored model, and the model is botocore's."""

import gzip
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import botocore.loaders
import pytest

from compute_optimizer import shapes
from compute_optimizer.shapes.model import MODEL_FILES, modelled_errors, read_model, service_model


@pytest.fixture(scope="module")
def script(repository: Path) -> Callable[[str], ModuleType]:
    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, repository / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_generating_again_gives_the_committed_module(
    script: Callable[[str], ModuleType],
) -> None:
    generator = script("generate_shapes")
    assert generator.generate() == generator.TARGET.read_text()


def test_vendoring_keeps_the_whole_model_of_the_installed_botocore(
    script: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    written = script("vendor_models").vendor_models(tmp_path)
    assert [path.name for path in written] == list(MODEL_FILES.values())
    loader = botocore.loaders.Loader()
    for path, service in zip(written, MODEL_FILES, strict=True):
        installed = loader.load_service_model(service, "service-2")
        packed = json.loads(gzip.decompress(path.read_bytes()))
        # The loader adds clientContextParams of its own to the models that have none.
        assert {key: installed[key] for key in packed} == packed


@pytest.mark.parametrize("service", MODEL_FILES)
def test_readme_names_every_vendored_file(service: str, repository: Path) -> None:
    readme = repository / "src/compute_optimizer/shapes/README.md"
    assert MODEL_FILES[service] in readme.read_text()


def test_every_structure_enum_and_error_of_the_model_is_exported() -> None:
    for name, shape in read_model("compute-optimizer")["shapes"].items():
        if shape["type"] == "structure" or "enum" in shape:
            assert hasattr(shapes, name), name


def test_exceptions_carry_code_status_and_shape_id_of_the_model() -> None:
    # Statuses: the API reference's list of errors, in the spelling of the service model.
    expected = {
        "AccessDeniedException": 403,
        "InternalServerException": 500,
        "InvalidParameterValueException": 400,
        "LimitExceededException": 400,
        "MissingAuthenticationToken": 403,
        "OptInRequiredException": 403,
        "ResourceNotFoundException": 404,
        "ServiceUnavailableException": 503,
        "ThrottlingException": 429,
    }
    assert {code: getattr(shapes, code).status for code in expected} == expected
    assert {code: getattr(shapes, code).code for code in expected} == {c: c for c in expected}
    error = shapes.OptInRequiredException("not opted in")
    assert error.shape_id == "com.amazonaws.computeoptimizer#OptInRequiredException"
    assert (error.message, error.fault) == ("not opted in", "client")
    assert shapes.InternalServerException.fault == "server"


def test_enrollment_status_does_not_list_opt_in_required() -> None:
    assert "OptInRequiredException" not in modelled_errors("GetEnrollmentStatus")
    assert "OptInRequiredException" in modelled_errors("GetEC2InstanceRecommendations")


def test_both_services_are_loaded_with_all_their_operations() -> None:
    # 28 and 23 operations in the models of botocore 1.44.5.
    assert len(service_model().operation_names) == 28
    assert len(service_model("compute-optimizer-automation").operation_names) == 23
