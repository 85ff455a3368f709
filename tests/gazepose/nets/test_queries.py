import numpy as np
import pytest
import torch
from builders.golden_nets import GOLDEN_DIR, recorded
from torch import Tensor

from gazepose.nets.queries import HeadQueries, LandmarkQueries, LearnedQueries
from gazepose.priors import num_head_bins


def points_at(x: float, y: float, score: float = 0.5) -> Tensor:
    """Landmarks (1, 15), all five at one place."""
    return torch.tensor([[x] * 5 + [y] * 5 + [score] * 5])


def test_indices_are_the_originals() -> None:
    golden = np.load(GOLDEN_DIR / "landmark_index.npz")
    cell, score = LandmarkQueries(8).indices(torch.from_numpy(golden["head2D"]))
    assert np.array_equal(cell.numpy(), golden["joint_idx"])
    assert np.array_equal(score.numpy(), golden["c_idx"])


def test_what_the_original_does_on_cuda_differs_on_borders_only() -> None:
    golden = np.load(GOLDEN_DIR / "landmark_index.npz")
    differs = golden["joint_idx"] != golden["joint_idx_cuda_emulated"]
    assert differs.sum() == 130
    values = (golden["head2D"][:, :10].reshape(-1, 2, 5).astype(np.float64) + 2) / 0.1
    border_distance = np.abs(values - np.round(values)).min(1)
    assert border_distance[differs].max() < 1e-5


@pytest.mark.parametrize("sizes", recorded()["table_sizes"], ids=lambda s: f"split {s['split']}")
def test_table_sizes(sizes: dict[str, float]) -> None:
    assert num_head_bins(sizes["split"]) == sizes["angle_rows"]
    assert HeadQueries(4, sizes["split"]).yaw.num_embeddings == sizes["angle_rows"]
    queries = LandmarkQueries(4, sizes["dsplit"], sizes["csplit"])
    assert queries.cell.num_embeddings == sizes["joint_rows"]
    assert queries.score.num_embeddings == sizes["c_rows"]
    cell, score = queries.indices(points_at(2.0, 2.0, 1.0))
    assert cell.max() == sizes["max_joint_idx_reachable_f32"]
    assert score.max() == sizes["max_c_idx_f32"]


def all_cells() -> Tensor:
    """Landmarks (n, 15) that hit the middle of each of the 40 x 40 inner cells once."""
    places = (torch.arange(40) + 0.5) / 10 - 2
    x, y = (grid.flatten() for grid in torch.meshgrid(places, places, indexing="ij"))
    return torch.cat([x.reshape(-1, 5), y.reshape(-1, 5), torch.zeros(320, 5)], dim=1)


def test_the_originals_cells_collide_and_the_repaired_ones_do_not() -> None:
    def distinct(index: str) -> int:
        return len(LandmarkQueries(4, landmark_index=index).indices(all_cells())[0].unique())

    assert distinct("collision_free") == 1600
    assert distinct("original") == 820
    queries = LandmarkQueries(4)
    twin = queries.indices(points_at(0.15, -1.85))[0], queries.indices(points_at(0.05, 0.15))[0]
    assert torch.equal(*twin)


@pytest.mark.parametrize("index", ["original", "collision_free"])
def test_values_beyond_the_tables_take_an_end_of_them(index: str) -> None:
    queries = LandmarkQueries(4, landmark_index=index)
    for x, y, score in ((50.0, 2.0, 1.1), (-9.0, -50.0, -0.01), (1e30, 0.0, 5.0)):
        assert queries(points_at(x, y, score)).isfinite().all()
    beyond = queries.indices(points_at(1e9, 1e9))[0]
    assert (beyond == queries.cell.num_embeddings - 1).all()
    assert (queries.indices(points_at(-1e9, -1e9))[0] == 0).all()
    assert (queries.indices(points_at(0, 0, float("nan")))[1] >= 0).all()
    assert queries.indices(points_at(0, 0, 1.1))[1].max() == 10
    head = HeadQueries(4)
    assert torch.equal(head(torch.tensor([[91, 1000, -5]])), head(torch.tensor([[90, 90, 0]])))


def test_collision_free_clamps_each_axis_for_itself() -> None:
    queries = LandmarkQueries(4, landmark_index="collision_free")
    beyond, edge = points_at(0.5, 9.0), points_at(0.5, 2.0)
    assert torch.equal(queries.indices(beyond)[0], queries.indices(edge)[0])


def test_codes_are_trained_only_if_asked_for() -> None:
    for train_codes in (False, True):
        queries = LandmarkQueries(4, train_codes=train_codes)
        total = queries(points_at(0, 0)).sum()
        assert total.requires_grad is train_codes
    HeadQueries(4)(torch.zeros(1, 3, dtype=torch.int64)).sum().backward()


def test_each_angle_has_a_table_of_its_own() -> None:
    queries = HeadQueries(6)
    bins = torch.tensor([[3, 4, 5], [5, 4, 3]])
    codes = queries(bins)
    assert codes.shape == (2, 3, 6)
    for i, table in enumerate((queries.yaw, queries.pitch, queries.roll)):
        assert torch.equal(codes[:, i], table.weight[bins[:, i]])


def test_learned_queries_are_alike_for_all_and_random_at_first() -> None:
    torch.manual_seed(0)
    queries = LearnedQueries(5, 4000)
    assert torch.equal(queries(3)[0], queries(3)[2])
    assert queries.query.std().item() == pytest.approx(1, abs=0.02)


def test_settings_that_make_no_table_are_refused() -> None:
    with pytest.raises(ValueError, match=r"priors\.split.* 0 .* 90"):
        HeadQueries(4, split=0)
    with pytest.raises(ValueError, match=r"priors\.dsplit.* 0.* 1"):
        LandmarkQueries(4, dsplit=0)
    with pytest.raises(ValueError, match=r"priors\.csplit.* 1\.5.* 1"):
        LandmarkQueries(4, csplit=1.5)
    with pytest.raises(
        ValueError, match=r"priors\.landmark_index.*'free'.*original or collision_free"
    ):
        LandmarkQueries(4, landmark_index="free")
    with pytest.raises(ValueError, match=r"width.* 5.* even"):
        LandmarkQueries(5)
