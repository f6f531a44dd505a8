"""One suite for every implementation of a port."""

import pytest

pytest.register_assert_rewrite("tests.contract.cluster_suite")
