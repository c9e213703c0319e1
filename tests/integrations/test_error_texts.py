"""The integrations' messages say in full what they are to say."""

import pytest

from custseg_duck import CustsegError
from tests.error_texts.calls import Refused
from tests.error_texts.integrations import REFUSED


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.text[:50])
def test_a_message_is_got_and_says(refused: Refused) -> None:
    assert callable(refused.call)
    with pytest.raises(CustsegError) as error:
        refused.call(None)
    assert str(error.value) == refused.text
