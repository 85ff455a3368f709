"""Encoder over the places of a map, decoder of queries; both normalise before each branch.

Shapes: B samples, S places, Q queries, D width. Position embeddings are added to queries and keys
of each attention, never to values.
"""

import torch
from torch import Tensor, nn

from gazepose.nets.backbones.sizes import check_at_least


class FeedForward(nn.Sequential):
    """Two linear layers, (..., D) -> (..., D)."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )


class Attention(nn.MultiheadAttention):
    """Multi-head attention over the second axis, which returns its output only."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__(width, heads, dropout=dropout, batch_first=True)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:  # type: ignore[override]
        """Map queries (B, Q, D), keys and values (B, S, D) to (B, Q, D)."""
        return super().forward(query, key, value, need_weights=False)[0]


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads, dropout)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, places: Tensor, position: Tensor) -> Tensor:
        """Map places (B, S, D) at positions (S, D) to (B, S, D)."""
        normed = self.norm1(places)
        at = normed + position
        places = places + self.dropout(self.attention(at, at, normed))
        return places + self.dropout(self.feedforward(self.norm2(places)))


class DecoderLayer(nn.Module):
    """Self-attention of the queries' contents, attention to the memory, feed-forward."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.self_attention = Attention(width, heads, dropout)
        self.memory_attention = Attention(width, heads, dropout)
        self.feedforward = FeedForward(width, feedforward, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, target: Tensor, queries: Tensor, memory: Tensor, position: Tensor) -> Tensor:
        """Map contents (B, Q, D) of queries (B, Q, D) to (B, Q, D).

        Contents are what each query has found so far; the memory is (B, S, D), its position (S, D).
        """
        normed = self.norm1(target)
        at = normed + queries
        target = target + self.dropout(self.self_attention(at, at, normed))
        at = self.norm2(target) + queries
        target = target + self.dropout(self.memory_attention(at, memory + position, memory))
        return target + self.dropout(self.feedforward(self.norm3(target)))


class Transformer(nn.Module):
    """Encoder and decoder.

    Args:
        width: D.
        heads: of each attention; they divide the width.
        feedforward: hidden units of each feed-forward.
        num_encoder_layers: may be 0; the final norm stays.
        num_decoder_layers: may be 0; the final norm stays.
        dropout: of attention weights, hidden units and each branch.

    Raises:
        ValueError: If a size is out of range, or the heads do not divide the width.
    """

    def __init__(
        self,
        width: int = 512,
        heads: int = 8,
        feedforward: int = 2048,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        check_sizes(width, heads, feedforward, num_encoder_layers, num_decoder_layers, dropout)
        sizes = (width, heads, feedforward, dropout)
        self.encoder = nn.ModuleList(EncoderLayer(*sizes) for _ in range(num_encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(DecoderLayer(*sizes) for _ in range(num_decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        for weight in self.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)

    def encode(self, places: Tensor, position: Tensor) -> Tensor:
        """Return the memory (B, S, D) of places (B, S, D) at positions (S, D)."""
        for layer in self.encoder:
            places = layer(places, position)
        return self.encoder_norm(places)

    def forward(self, places: Tensor, position: Tensor, target: Tensor, queries: Tensor) -> Tensor:
        """Answer queries (B, Q, D) about places (B, S, D) at positions (S, D): (B, Q, D).

        The decoder starts from the contents `target` (Q, D).
        """
        memory = self.encode(places, position)
        found = target.expand(queries.shape[0], -1, -1)
        for layer in self.decoder:
            found = layer(found, queries, memory, position)
        return self.decoder_norm(found)


def check_sizes(
    width: int,
    heads: int,
    feedforward: int,
    num_encoder_layers: int,
    num_decoder_layers: int,
    dropout: float,
) -> None:
    """Raise a ValueError unless a `Transformer` can have these sizes."""
    one_or_more = {"width": width, "heads": heads, "feedforward": feedforward}
    none_or_more = {
        "num_encoder_layers": num_encoder_layers,
        "num_decoder_layers": num_decoder_layers,
    }
    for least, sizes in ((1, one_or_more), (0, none_or_more)):
        check_at_least(least, {f"model.transformer.{name}": n for name, n in sizes.items()})
    if not 0 <= dropout < 1:
        raise ValueError(f"model.transformer.dropout is {dropout}, expected 0 or more, below 1")
    if width % heads:
        raise ValueError(f"{heads} heads do not divide a width of {width}; choose others")


def places_of(feature_map: Tensor) -> Tensor:
    """Return a map (..., D, h, w) as places (..., h w, D)."""
    return torch.movedim(feature_map.flatten(-2), -1, -2)
