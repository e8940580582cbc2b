"""What the training loop feeds to a model."""

import torch
from torch import nn

from vaeimpute.models import LossTerms, Reconstructor, train


class Recorder(Reconstructor):
    """A model that learns nothing and remembers every batch."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.batches = []

    def loss(self, x, observed, generator):
        self.batches.append((x.clone(), observed.clone()))
        term = self.weight.square()
        return LossTerms(term, term, term)


def recorded(data, **settings):
    model = Recorder()
    train(model, data, learning_rate=1e-3, generator=torch.Generator().manual_seed(0), **settings)
    return model.batches


def test_missing_entries_enter_as_the_mean_and_are_marked():
    data = torch.randn(12, 6, generator=torch.Generator().manual_seed(1)) + 4
    data[2, 3] = data[7, 0] = torch.nan
    (batch,) = recorded(data, n_epochs=1, batch_size=50)
    x, observed = batch
    assert (~observed).sum() == 2
    assert (x[~observed] == 0).all()
    assert torch.equal(x[observed].sort().values, data[~data.isnan()].sort().values)


def test_every_epoch_takes_all_rows_in_another_order():
    data = torch.arange(20.0)[:, None]
    batches = recorded(data, n_epochs=2, batch_size=8)
    assert [len(x) for x, _ in batches] == [8, 8, 4, 8, 8, 4]
    first, second = (torch.cat([x[:, 0] for x, _ in part]) for part in (batches[:3], batches[3:]))
    for epoch in (first, second):
        assert torch.equal(epoch.sort().values, data[:, 0])
        assert not torch.equal(epoch, data[:, 0])
    assert not torch.equal(first, second)
