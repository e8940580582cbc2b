"""One kind of generator: its streams, its roots, and what it leaves alone."""

import numpy as np
import pytest

from vaeimpute.seeding import generator, integer


def test_every_name_has_a_stream_of_its_own():
    paths = [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1"), (1,)]
    draws = [generator(0, *path).random() for path in paths]
    assert len(set(draws)) == len(draws)
    assert [generator(0, *path).random() for path in paths] == draws
    assert len({integer(0, *path) for path in paths} | {integer(1, *path) for path in paths}) == 16


def test_numpys_global_state_decides_nothing_and_is_left_alone():
    draws = []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002 - it is what must not matter
        state = np.random.get_state()[1].copy()  # noqa: NPY002 - nor change
        draws.append(generator(None, "a").random())
        np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert draws[0] != draws[1]


@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState])
def test_a_generator_as_root_gives_a_number_and_goes_on(kind):
    root, again = kind(5), kind(5)
    first, second = (generator(root, "a").random() for _ in range(2))
    assert first != second
    assert [generator(again, "a").random() for _ in range(2)] == [first, second]


@pytest.mark.parametrize("root", [True, 1.0, "1", [1]])
def test_other_roots_are_refused(root):
    with pytest.raises(TypeError, match="Expected random_state as an integer"):
        generator(root, "a")


def test_negative_roots_are_refused():
    with pytest.raises(ValueError, match="negative"):
        generator(-1, "a")
