"""Operators whose work depends on what strings and encoded bytes hold."""

from __future__ import annotations

from archlint.analyzer.cost.base import UnknownCost, View, Work, handles


@handles("StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch")
def strings(view: View) -> Work:
    """Unknown: the length of strings depends on the data."""
    raise UnknownCost(view.because("the length of its strings depends on the data"))


@handles("ImageDecoder")
def image_decoder(view: View) -> Work:
    """Unknown: the format and the size of an image depend on the data."""
    raise UnknownCost(view.because("the format and size of its image depend on the data"))


@handles("TfIdfVectorizer")
def tf_idf_vectorizer(view: View) -> Work:
    """A look-up for each n-gram: N · (lengths · (skips + 1)) · C operations over the lengths of
    n-grams that are looked for, skips counting only above single words; a product an output element
    where they are weighted. Strings have no fixed size."""
    shortest, longest = (int(view.attribute(f"{end}_gram_length")) for end in ("min", "max"))
    skips = int(view.attribute("max_skip_count"))
    if not 1 <= shortest <= longest or skips < 0:
        raise ValueError(f"n-grams of {shortest} to {longest} with {skips} skips")
    single = shortest == 1
    grams = single + (longest - shortest + 1 - single) * (skips + 1)
    ops = {"lookup": grams * view.elements(0)}
    if view.attribute("mode") != "TF":
        ops["elementwise"] = view.out_elements()
    return Work(ops=ops)
