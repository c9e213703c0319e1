-- What speaks for and against each number of segments that was tried.
select
    k,
    silhouette,
    noise_silhouette,
    stability,
    smallest_share,
    is_recommended,
    reason,
from custseg.k_candidates
where run_name = $run_name
order by k asc;
