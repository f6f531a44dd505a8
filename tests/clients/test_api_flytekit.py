"""The real flytekit against the API: everything that works without an execution going on."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import requests
from flyteidl.core import types_pb2
from flytekit.configuration import Config, ImageConfig, PlatformConfig, SerializationSettings
from flytekit.exceptions import user
from flytekit.models.common import NamedEntityIdentifier
from flytekit.models.core.identifier import WorkflowExecutionIdentifier
from flytekit.models.filters import Equal, ValueIn
from flytekit.remote import FlyteRemote
from flytekit.tools.translator import Options
from sample import chains
from serving import ServedInThread

from dayfly.model.identifiers import ExecutionId

PROJECT, DOMAIN = "flytesnacks", "development"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with ServedInThread(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="module")
def remote(served):
    platform = PlatformConfig(endpoint=served.served.address, insecure=True)
    return FlyteRemote(Config(platform=platform), default_project=PROJECT, default_domain=DOMAIN)


def settings(version):
    return SerializationSettings(
        image_config=ImageConfig.auto_default_image(), project=PROJECT, domain=DOMAIN, version=version
    )


@pytest.fixture(scope="module")
def registered(remote):
    return remote.register_workflow(chains.chain, settings("v1"), version="v1", default_launch_plan=True)


@pytest.fixture(scope="module")
def tracked(registered):
    """The workflow's name, as flytekit made it."""
    return registered.id.name


def fresh():
    return "t" + uuid.uuid4().hex[:12]


class TestRegistering:
    def test_same_again_is_fine_and_stores_nothing_new(self, remote, registered):
        again = remote.register_workflow(chains.chain, settings("v1"), version="v1")
        assert again.id == registered.id

    def test_same_version_with_other_content_is_refused_with_the_difference(self, remote, registered):
        changed = settings("v1").with_serialized_context()
        changed = SerializationSettings(
            image_config=ImageConfig.auto(img_name="elsewhere/image:1"), project=PROJECT, domain=DOMAIN, version="v1"
        )
        with pytest.raises(user.FlyteInvalidInputException, match=r"container\.image.*elsewhere/image:1"):
            remote.register_task(chains.increment, changed, version="v1")

    def test_templates_come_back_untouched(self, remote, registered):
        found = remote.client.get_task(remote.fetch_task(name="sample.chains.increment", version="v1").id)
        template = found.closure.compiled_task.template
        assert template.container.resources.requests == [] and template.container.resources.limits == []
        assert template.metadata.retries.retries == 1

    def test_fetch_without_version_takes_the_newest(self, remote, tracked):
        newer = remote.register_workflow(chains.chain, settings("v2"), version="v2")
        assert remote.fetch_workflow(name=tracked).id.version == "v2"
        assert remote.fetch_task(name="sample.chains.label").id.version == "v2"
        assert newer.interface.outputs["o0"].type.simple == 3

    def test_unknown_ones_do_not_exist(self, remote, registered):
        for fetch in (remote.fetch_task, remote.fetch_workflow, remote.fetch_launch_plan):
            with pytest.raises(user.FlyteEntityNotExistException):
                fetch(name="nobody.knows", version="v1")

    def test_missing_task_is_a_compile_error_with_names(self, remote):
        with pytest.raises(user.FlyteInvalidInputException, match=r"(?s)failed to compile.*increment"):
            from flytekit.tools.translator import get_serializable

            spec = get_serializable({}, settings("v-without-tasks"), chains.chain)
            remote.client.create_workflow(spec.template.id, spec)

    def test_lists(self, remote, registered):
        name = NamedEntityIdentifier(PROJECT, DOMAIN, "sample.chains.increment")
        versions, token = remote.client.list_tasks_paginated(name, limit=1, filters=[Equal("version", "v1")])
        assert [one.id.version for one in versions] == ["v1"] and token.startswith("1-")
        for second in (token, "1"):  # an offset of the client's own is as good
            page = remote.client.list_tasks_paginated(name, limit=1, token=second, filters=[Equal("version", "v1")])
            assert page == ([], "")
        ids, _ = remote.client.list_workflow_ids_paginated(PROJECT, DOMAIN, limit=100)
        assert "sample.chains.chain" in [one.name for one in ids]
        assert len(remote.list_tasks_by_version("v1")) == 2

    def test_unknown_project_and_domain_are_refused(self, remote):
        for project, domain in (("nobody", DOMAIN), (PROJECT, "nowhere")):
            with pytest.raises(user.FlyteInvalidInputException, match=r"nobody|nowhere"):
                other = SerializationSettings(
                    image_config=ImageConfig.auto_default_image(), project=project, domain=domain, version="v1"
                )
                remote.register_task(chains.increment, other, version="v1")


class TestLaunchPlans:
    def test_default_plan_needs_what_has_no_default(self, remote, registered, tracked):
        plan = remote.fetch_launch_plan(name=tracked, version="v1")
        closure = remote.client.get_launch_plan(plan.id).closure
        assert closure.expected_inputs.parameters["number"].required
        assert closure.expected_inputs.parameters["text"].default.scalar.primitive.string_value == "is"
        assert set(closure.expected_outputs.variables) == {"o0"}
        assert set(plan.interface.inputs) == {"number", "text"} and set(plan.interface.outputs) == {"o0"}

    def test_activation_moves_between_versions(self, remote, registered):
        for version in ("v1", "v3"):
            remote.register_launch_plan(chains.fixed, version=version, serialization_settings=settings(version))
        assert remote.fetch_active_launchplan(name="chain_fixed") is None
        first = remote.fetch_launch_plan(name="chain_fixed", version="v1")
        second = remote.fetch_launch_plan(name="chain_fixed", version="v3")
        for plan in (first, second, second):
            remote.activate_launchplan(plan.id)
            assert remote.fetch_active_launchplan(name="chain_fixed").id.version == plan.id.version
        active, _ = remote.client.list_active_launch_plans_paginated(PROJECT, DOMAIN, limit=10)
        assert [one.id.version for one in active] == ["v3"]
        remote.deactivate_launchplan(second.id)
        assert remote.fetch_active_launchplan(name="chain_fixed") is None

    def test_fixed_inputs_are_not_expected_and_cannot_be_given(self, remote, registered):
        plan = remote.register_launch_plan(chains.fixed, version="v4", serialization_settings=settings("v4"))
        closure = remote.client.get_launch_plan(plan.id).closure
        assert set(closure.expected_inputs.parameters) == {"number"}
        execution = remote.execute(plan, inputs={})
        assert remote.sync_execution(execution).inputs == {"number": 7, "text": "was"}


class TestExecutions:
    def test_created_with_defaults_and_read_back(self, remote, registered):
        execution = remote.execute(registered, inputs={"number": 4})
        assert len(execution.id.name) == 20 and execution.id.name.isalnum()
        seen = remote.fetch_execution(name=execution.id.name)
        assert seen.closure.phase == 0 and not seen.is_done
        assert seen.spec.max_parallelism == 25 and seen.spec.interruptible is None
        assert raw_closure(remote, seen.id).workflow_id.name == "sample.chains.chain"
        assert remote.sync_execution(seen).inputs == {"number": 4, "text": "is"}

    def test_a_name_taken_gives_the_existing_one(self, remote, registered):
        name = fresh()
        first = remote.execute(registered, inputs={"number": 1}, execution_name=name)
        second = remote.execute(registered, inputs={"number": 2}, execution_name=name)
        assert first.id == second.id
        assert remote.sync_execution(second).inputs["number"] == 1

    def test_single_task(self, remote, registered):
        execution = remote.execute(
            remote.fetch_task(name="sample.chains.increment", version="v1"), inputs={"number": 4}
        )
        seen = remote.client.get_execution(execution.id)
        assert raw_closure(remote, seen.id).workflow_id.name == ".flytegen.sample.chains.increment"
        assert seen.spec.launch_plan.resource_type_name() == "TASK"
        names, _ = remote.client.list_workflow_ids_paginated(PROJECT, DOMAIN, limit=100)
        hidden = ".flytegen.sample.chains.increment"
        assert hidden in [one.name for one in names]
        listed = remote.client._stub.ListNamedEntities(named_entity_request())
        assert hidden not in [one.id.name for one in listed.entities]

    def test_settings_are_kept(self, remote, registered):
        options = Options(max_parallelism=3, raw_output_data_config=None)
        execution = remote.execute(
            registered,
            inputs={"number": 1},
            options=options,
            overwrite_cache=True,
            interruptible=False,
            envs={"A": "1"},
            tags=["nightly"],
            cluster_pool="gpu",
        )
        spec = remote.client.get_execution(execution.id).spec
        assert (spec.max_parallelism, spec.overwrite_cache, spec.interruptible) == (3, True, False)
        assert spec.envs.envs == {"A": "1"} and list(spec.tags) == ["nightly"]
        assert spec.cluster_assignment.cluster_pool == "gpu" and spec.metadata.principal == ""
        found, _ = remote.client.list_executions_paginated(
            PROJECT, DOMAIN, limit=5, filters=[Equal("admin_tag.name", "nightly")]
        )
        assert [one.id.name for one in found] == [execution.id.name]

    @pytest.mark.parametrize(
        ("inputs", "told"),
        [({}, "'number'.*required"), ({"number": 1, "other": 2}, "other"), ({"number": "x"}, "number")],
    )
    def test_wrong_inputs_name_the_input(self, remote, registered, inputs, told):
        from flytekit.core.context_manager import FlyteContextManager
        from flytekit.core.type_engine import TypeEngine
        from flytekit.models import literals

        context = FlyteContextManager.current_context()
        given = {
            name: TypeEngine.to_literal(context, value, type(value), TypeEngine.to_literal_type(type(value)))
            for name, value in inputs.items()
        }
        from flytekit.models import execution

        spec = execution.ExecutionSpec(
            remote.fetch_launch_plan(name="sample.chains.chain", version="v1").id,
            execution.ExecutionMetadata(execution.ExecutionMetadata.ExecutionMode.MANUAL, "x", 0),
        )
        with pytest.raises(user.FlyteInvalidInputException, match=told):
            remote.client.create_execution(PROJECT, DOMAIN, fresh(), spec, literals.LiteralMap(given))

    @pytest.mark.parametrize("name", ["1digit", "under_score", "a" * 64, "dot.ted"])
    def test_malformed_names_are_refused(self, remote, registered, name):
        with pytest.raises(user.FlyteInvalidInputException, match="execution name"):
            remote.execute(registered, inputs={"number": 1}, execution_name=name)

    def test_terminate_shows_at_once(self, remote, registered):
        execution = remote.execute(registered, inputs={"number": 1})
        remote.terminate(execution, "changed my mind")
        closure = remote.client.get_execution(execution.id).closure
        assert closure.phase == 9 and closure.abort_metadata.cause == "changed my mind"

    def test_terminate_of_an_unknown_one(self, remote):
        unknown = WorkflowExecutionIdentifier(PROJECT, DOMAIN, "nobody")
        with pytest.raises(user.FlyteEntityNotExistException):
            remote.client.terminate_execution(unknown, "x")

    def test_relaunch_and_archive(self, remote, registered):
        original = remote.execute(registered, inputs={"number": 9})
        again = remote.client.relaunch_execution(original.id, fresh())
        seen = remote.client.get_execution(again)
        assert seen.spec.metadata.mode == 3 and seen.spec.metadata.reference_execution == original.id
        assert remote.sync_execution(remote.fetch_execution(name=again.name)).inputs == {"number": 9, "text": "is"}
        remote.client._stub.UpdateExecution(update_request(again.name, state=1))
        listed = [one.id.name for one in remote.recent_executions(limit=100)]
        assert again.name not in listed and original.id.name in listed
        archived, _ = remote.client.list_executions_paginated(PROJECT, DOMAIN, filters=[Equal("state", "1")], limit=9)
        assert again.name in [one.id.name for one in archived]

    def test_filters_by_phase_and_workflow(self, remote, registered):
        filters = [ValueIn("phase", ["UNDEFINED", "ABORTING"]), Equal("workflow.name", "sample.chains.chain")]
        found, _ = remote.client.list_executions_paginated(PROJECT, DOMAIN, limit=100, filters=filters)
        assert found
        with pytest.raises(user.FlyteInvalidInputException, match="colour"):
            remote.client.list_executions_paginated(PROJECT, DOMAIN, limit=1, filters=[Equal("colour", "red")])

    def test_console_page_shows_it(self, remote, registered):
        execution = remote.execute(registered, inputs={"number": 1})
        page = requests.get(remote.generate_console_url(execution), timeout=10)
        assert page.status_code == 200 and execution.id.name in page.text and "UNDEFINED" in page.text
        for entity in (registered, remote.fetch_task(name="sample.chains.label", version="v1")):
            page = requests.get(remote.generate_console_url(entity), timeout=10)
            assert page.status_code == 200 and entity.id.name in page.text
        missing = requests.get(remote.generate_console_url(execution)[:-3] + "zzz", timeout=10)
        assert missing.status_code == 404


class TestTheRest:
    def test_projects_and_domains(self, remote):
        assert [project.id for project in remote.list_projects()] == [PROJECT]
        assert [domain.id for domain in remote.get_domains()] == ["development", "staging", "production"]

    def test_signals(self, remote, served, registered):
        execution = remote.execute(registered, inputs={"number": 1})
        assert remote.list_signals(execution.id.name) == []
        with pytest.raises(user.FlyteInvalidInputException, match="does not exist"):
            remote.approve("go", execution.id.name)
        self.wait_for(served, execution, "go", types_pb2.BOOLEAN)
        self.wait_for(served, execution, "rate", types_pb2.FLOAT)
        remote.approve("go", execution.id.name)
        remote.set_input("rate", execution.id.name, value=0.5)
        found = remote.list_signals(execution.id.name)
        assert [signal.id.signal_id for signal in found] == ["go", "rate"]
        assert [signal.value.scalar.primitive.WhichOneof("value") for signal in found] == ["boolean", "float_value"]
        only = remote.list_signals(execution.id.name, filters="eq(signal_id,rate)")
        assert [signal.type.simple for signal in only] == [types_pb2.FLOAT]

    def test_signals_of_another_type(self, remote, served, registered):
        execution = remote.execute(registered, inputs={"number": 1})
        self.wait_for(served, execution, "rate", types_pb2.FLOAT)
        with pytest.raises(user.FlyteInvalidInputException, match="wrong type: it is int"):
            remote.set_input("rate", execution.id.name, value=3)
        assert not remote.list_signals(execution.id.name)[0].HasField("value")

    def wait_for(self, served, execution, signal, simple):
        """Do as a gate node does, which asks for its signal."""
        declared = types_pb2.LiteralType(simple=simple).SerializeToString()
        waiting = ExecutionId(PROJECT, DOMAIN, execution.id.name)
        served.run(served.served.store.signals.get_or_create(waiting, signal, declared))

    def test_flyte_urls(self, remote, served, registered):
        assert remote.get(f"flyte://v1/{PROJECT}/{DOMAIN}/nobody/n0/i") is None


class TestUploads:
    def test_upload_file_is_stored_under_its_content(self, remote, served, tmp_path):
        file = tmp_path / "data.bin"
        file.write_bytes(b"x" * 100_000)
        md5, uri = remote.upload_file(file)
        assert remote.upload_file(file) == (md5, uri)
        assert served.run(served.served.blobs.find(uri)) == file.read_bytes()

    def test_upload_without_headers(self, remote, served):
        link = remote.client.get_upload_signed_url(PROJECT, DOMAIN, None, None, filename_root="00000")
        assert requests.put(link.signed_url, data=b"plain", timeout=10).ok
        assert served.run(served.served.blobs.find(link.native_url)) == b"plain"

    def test_other_content_under_a_taken_name_is_refused(self, remote, tmp_path):
        file = tmp_path / "data.bin"
        file.write_bytes(b"one")
        remote.upload_file(file, filename_root="mine")
        remote.upload_file(file, filename_root="mine")
        other = tmp_path / "other" / "data.bin"  # flytekit remembers the hash of a path
        other.parent.mkdir()
        other.write_bytes(b"two")
        with pytest.raises(RuntimeError) as refused:
            remote.upload_file(other, filename_root="mine")
        assert isinstance(refused.value.__cause__, user.FlyteEntityAlreadyExistsException)

    def test_large_file_streams(self, remote, served, tmp_path):
        file = tmp_path / "large.bin"
        with file.open("wb") as out:
            out.truncate(300 * 1024 * 1024)
        _, uri = remote.upload_file(file)
        assert served.run(served.served.blobs.stat(uri)).size_bytes == 300 * 1024 * 1024


def test_pyflyte_registers_twice_and_runs(served, remote, tmp_path):
    """The command line, with fast registration: its archive goes up by signed link, and a second time is no news."""
    here = Path(__file__).parent

    def pyflyte(*args):
        config = tmp_path / "config.yaml"
        config.write_text(f"admin:\n  endpoint: {served.served.address}\n  insecure: true\n")
        command = [Path(sys.executable).parent / "pyflyte", "-c", config, *args]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    for _ in range(2):
        pyflyte("register", "-p", PROJECT, "-d", DOMAIN, "--version", "cli", "sample")
    template = remote.fetch_task(name="sample.chains.increment", version="cli").template
    archive = template.container.args[template.container.args.index("--additional-distribution") + 1]
    assert served.run(served.served.blobs.stat(archive)).size_bytes > 0
    told = pyflyte("run", "--remote", "sample/chains.py", "chain", "--number", "3")
    assert f"/console/projects/{PROJECT}/domains/{DOMAIN}/executions/" in told


def named_entity_request():
    from flyteidl.admin import common_pb2
    from flyteidl.core import identifier_pb2

    return common_pb2.NamedEntityListRequest(
        resource_type=identifier_pb2.WORKFLOW, project=PROJECT, domain=DOMAIN, limit=100
    )


def raw_closure(remote, execution):
    """The closure with the fields that flytekit's model leaves out."""
    from flyteidl.admin import execution_pb2

    request = execution_pb2.WorkflowExecutionGetRequest(id=execution.to_flyte_idl())
    return remote.client._stub.GetExecution(request).closure


def update_request(name, state):
    from flyteidl.admin import execution_pb2

    return execution_pb2.ExecutionUpdateRequest(id={"project": PROJECT, "domain": DOMAIN, "name": name}, state=state)
