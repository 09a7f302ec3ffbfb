"""Prices from outside: the price list of AWS, as a file or from the web, and sheets of users."""

from compute_optimizer.sources.prices.price_list import OFFERS as OFFERS
from compute_optimizer.sources.prices.price_list import offer_url as offer_url
from compute_optimizer.sources.prices.price_list import read_price_list as read_price_list
from compute_optimizer.sources.prices.sheet import read_price_sheet as read_price_sheet
