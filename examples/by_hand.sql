-- What custseg_duck.run does, as the SQL that it is. Needs a table order_lines in the current
-- database, and custseg_duck.load(con) for the one function that is not SQL, kmeans_fit.

create or replace temp table kept as
from custseg.order_lines('order_lines', time_zone := 'America/New_York');

create or replace table my_features as
from custseg.customer_features('kept');

create or replace table my_models as
select 'mine' as name, custseg.kmeans_fit(features, k := 6, transform := transform) as model
from custseg.feature_vectors('my_features');

create or replace table my_segments as
select
    customer_id,
    custseg.assign(model, features) as segment,
    list_min(custseg.distances(model, features)) as distance,
from custseg.feature_vectors('my_features')
cross join my_models;

create or replace table my_summary as
from custseg.segment_summary('my_features', 'my_segments');

create or replace table my_profiles as
from custseg.segment_profiles('my_features', 'my_segments');

create or replace table my_centroids as
from custseg.centroids('my_models');

create or replace table my_itemsets as
from custseg.frequent_itemsets('kept', min_support := 0.001, max_length := 3);

create or replace table my_rules as
from custseg.association_rules('my_itemsets', min_confidence := 0.1);
