"""The two wire protocols: AWS JSON 1.0 and Smithy RPC v2 CBOR, over one walk of the model.

headers -> routing.claim -> Claim(encoding, service, operation_name)
bytes -> json_body | cbor_body -> input_walk -> request      (a dict, valid by the model)
response -> output_forms, or output_walk -> json_body | cbor_body -> bytes
"""

from compute_optimizer.api.protocols.encodings import CBOR as CBOR
from compute_optimizer.api.protocols.encodings import ENCODINGS as ENCODINGS
from compute_optimizer.api.protocols.encodings import JSON as JSON
from compute_optimizer.api.protocols.encodings import Encoding as Encoding
from compute_optimizer.api.protocols.encodings import answer_writer as answer_writer
from compute_optimizer.api.protocols.encodings import entry_writer as entry_writer
from compute_optimizer.api.protocols.routing import Claim as Claim
from compute_optimizer.api.protocols.routing import claim as claim
from compute_optimizer.api.protocols.routing import encoding_for as encoding_for
