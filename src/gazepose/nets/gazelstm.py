"""GazeLSTM: seven frames' embeddings through a bidirectional LSTM."""

from collections.abc import Sequence

from torch import Tensor

from gazepose.nets.backbones import Backbone
from gazepose.nets.backbones.sizes import check_at_least
from gazepose.nets.parts import Classifier, ClipNet


class GazeLSTM(ClipNet):
    """The baseline: 14,576,426 parameters at the published size.

    Args:
        backbone: image to map.
        num_outputs: 2 for eye contact.
        embedding: features of a frame.
        embedding_hidden: units between the pooled map and the embedding.
        lstm_hidden: units of each layer and direction.
        head_hidden: sizes of further layers before the output; the Ego4D baseline has (128,),
            14,641,322 parameters in all.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_outputs: int = 2,
        embedding: int = 256,
        embedding_hidden: int = 1000,
        lstm_hidden: int = 256,
        head_hidden: Sequence[int] = (),
    ) -> None:
        super().__init__(backbone, embedding, embedding_hidden, lstm_hidden)
        check_at_least(1, {"model.net.head_hidden": min(head_hidden, default=1)})
        self.last = Classifier(2 * lstm_hidden, *head_hidden, num_outputs)

    def decide(
        self,
        embedding: Tensor,
        centre_map: Tensor | None = None,
        head_bins: Tensor | None = None,
        landmarks: Tensor | None = None,
    ) -> Tensor:
        """Return the outputs (B, num_outputs) of embeddings (B, T, E); the rest is ignored."""
        return self.last(self.centre_state(embedding))
