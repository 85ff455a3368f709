"""GazePose: GazeLSTM, and a Transformer that asks the middle frame about head and face.

"Ego4D Looking At Me Challenge 2023", first prize; its Spatial Feature Refinement.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from gazepose.nets.backbones import Backbone
from gazepose.nets.parts import Classifier, ClipNet, asked_prior
from gazepose.nets.position import SinePosition
from gazepose.nets.queries import (
    NUM_ANGLES,
    HeadQueries,
    LandmarkQueries,
    LearnedQueries,
)
from gazepose.nets.transformer import Transformer, check_sizes, places_of
from gazepose.priors import NUM_POINTS


class GazePose(ClipNet):
    """The full model: 61,916,202 parameters at the published size with both priors.

    Only the middle frame's map reaches the Transformer. An ablated prior is not built: parameters
    take its queries' place.

    Args:
        backbone: image to map.
        use_head: query by head pose.
        use_landmarks: query by face landmarks.
        split: degrees of head pose a query.
        dsplit: side of a landmark cell.
        csplit: step of the landmark score.
        landmark_index: "original" or "collision_free", see `LandmarkQueries`.
        train_landmark_codes: False as published, see `LandmarkQueries`.
        embedding: features of a frame.
        embedding_hidden: units between the pooled map and the embedding.
        lstm_hidden: units of each layer and direction.
        width: of the Transformer.
        heads: of each attention.
        feedforward: hidden units of each layer.
        num_encoder_layers: layers over the map.
        num_decoder_layers: layers over the queries.
        dropout: inside the Transformer.

    Raises:
        ValueError: If sizes or priors do not fit, with what would.
    """

    uses_map: ClassVar[bool] = True

    def __init__(
        self,
        backbone: Backbone,
        use_head: bool = True,
        use_landmarks: bool = True,
        split: float = 1.0,
        dsplit: float = 0.1,
        csplit: float = 0.1,
        landmark_index: str = "original",
        train_landmark_codes: bool = False,
        embedding: int = 256,
        embedding_hidden: int = 1000,
        lstm_hidden: int = 256,
        width: int = 512,
        heads: int = 8,
        feedforward: int = 2048,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dropout: float = 0.1,
    ) -> None:
        sizes = (width, heads, feedforward, num_encoder_layers, num_decoder_layers, dropout)
        check_sizes(*sizes)
        super().__init__(backbone, embedding, embedding_hidden, lstm_hidden)
        self.uses_head = use_head
        self.uses_landmarks = use_landmarks
        self.head_query = (
            HeadQueries(width, split) if use_head else LearnedQueries(NUM_ANGLES, width)
        )
        self.landmark_query = (
            LandmarkQueries(width, dsplit, csplit, landmark_index, train_landmark_codes)
            if use_landmarks
            else LearnedQueries(NUM_POINTS, width)
        )
        self.target = nn.Parameter(torch.randn(NUM_ANGLES + NUM_POINTS, width))
        self.input_projection = nn.Conv2d(backbone.num_channels, width, 1)
        self.position = SinePosition(width)
        self.transformer = Transformer(*sizes)
        self.fusion = Classifier((NUM_ANGLES + NUM_POINTS) * width, width)
        self.last = Classifier(2 * lstm_hidden + width, width // 2, 2)

    def decide(
        self,
        embedding: Tensor,
        centre_map: Tensor | None,
        head_bins: Tensor | None = None,
        landmarks: Tensor | None = None,
    ) -> Tensor:
        """Return the logits (B, 2); see `ClipNet.decide`."""
        assert centre_map is not None, "GazePose looks at the middle frame's map"
        temporal = self.centre_state(embedding)
        spatial = self.fusion(self.answers(centre_map, head_bins, landmarks).flatten(1))
        return self.last(torch.cat([temporal, spatial], dim=1))

    def answers(
        self, centre_map: Tensor, head_bins: Tensor | None, landmarks: Tensor | None
    ) -> Tensor:
        """Return what the Transformer finds in maps (B, C, h, w) for each query: (B, 8, width)."""
        queries = self.queries(centre_map.shape[0], head_bins, landmarks)
        places = places_of(self.input_projection(centre_map))
        position = places_of(self.position(centre_map))
        return self.transformer(places, position, self.target, queries)

    def queries(
        self, batch_size: int, head_bins: Tensor | None, landmarks: Tensor | None
    ) -> Tensor:
        """Return the queries (B, 8, width): yaw, pitch, roll, five landmarks.

        Raises:
            ValueError: If a prior that the net asks for is missing.
        """
        head = asked_prior("head_bins", head_bins) if self.uses_head else batch_size
        points = asked_prior("landmarks", landmarks) if self.uses_landmarks else batch_size
        return torch.cat([self.head_query(head), self.landmark_query(points)], dim=1)
